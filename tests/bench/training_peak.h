// How much memory a training takes at its peak.
#pragma once

namespace mlp::bench {

// One training with each optimizer in a process of its own, 60,000 x 784 uint8 by 784-800-10 on two
// threads with a checkpoint on the way. Prints its peak against the budget (the dataset, four times
// the weights, a block's activations a thread, and 64 MiB), and against what TrainingMemory, by
// which the server admits jobs, says. The parts go to stderr. Call it before threads are started.
void MeasurePeaks(bool quick);

}  // namespace mlp::bench
