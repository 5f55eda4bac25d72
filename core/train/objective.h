// J and its gradient over all rows of a part, as fixed row blocks summed in a fixed order: the same
// bits with any number of threads.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/data/examples.h"
#include "core/nn/cost.h"
#include "core/nn/propagation.h"
#include "core/optim/optimizer.h"
#include "core/train/part_rows.h"

namespace mlp {

// Thread-compatible. Keeps a reference to `pool`.
//
// Each block's cost and gradient (float) is computed by one thread. Then all threads add up blocks'
// gradients (double), each a range of parameters at a time, in block order. Memory: per thread one
// gradient, or as many as have room in 4 MiB, and the activations of one block; in float, what
// BlockInputs keeps, in double all rows.
template <typename Scalar>
class Objective final : public CostFunction {
 public:
  Objective(const Topology& topology, CostKind cost, double lambda, PartRows rows,
            ThreadPool& pool);
  Objective(const Topology& topology, CostKind cost, double lambda, Examples examples,
            ThreadPool& pool);
  ~Objective() override;

  int64_t size() const override;

  // J = 1/m sum_i w_i c_i + lambda / (2 m) sum(Theta^2 without biases), c_i the cross-entropy of
  // example i and w_i its weight. `gradient` may be null.
  double Evaluate(const double* theta, double* gradient) override;

  // Asked before each block.
  void InterruptWhen(std::function<bool()> interrupted) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mlp
