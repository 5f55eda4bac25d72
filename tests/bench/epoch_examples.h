// What epoch_bench trains on.
#pragma once

#include <string>

#include "core/data/examples.h"

namespace mlp::bench {

// 60,000 x 784, made up: strokes of a pen, ten shapes moved and wavering, on an empty ground. 81 %
// of the pixels are 0 as in MNIST, and together as they are there.
Examples MadeUpDigits();

// MNIST's training set from the IDX files in `folder`. Ends the program where there are none.
Examples ReadMnist(const std::string& folder);

// The images' negatives: the ground is 1, and next to nothing is 0.
Examples NegativesOf(const Examples& digits);

}  // namespace mlp::bench
