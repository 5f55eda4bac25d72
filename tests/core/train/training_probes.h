// What the trainers' tests watch and steer a training with.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/train/progress.h"
#include "core/train/training_context.h"

namespace mlp {

class PointLog final : public ProgressObserver {
 public:
  void OnProgress(const ProgressPoint& point) override {
    points.push_back(point);
    if (on_point) on_point(point);
  }

  std::vector<ProgressPoint> points;
  std::function<void(const ProgressPoint&)> on_point;
};

class SetClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch(); }
  absl::Duration Elapsed() const override { return elapsed; }

  absl::Duration elapsed = absl::Hours(3);
};

// Keeps the newest checkpoint; `on_asked` is called whenever the training asks whether one is due,
// which it does before every step.
class CheckpointKeeper final : public CheckpointSink {
 public:
  bool Due() override {
    ++asked;
    if (on_asked) on_asked(asked);
    return due;
  }
  void Save(std::string bytes) override {
    ++saved;
    newest = std::move(bytes);
  }

  bool due = false;
  int asked = 0;
  int saved = 0;
  std::string newest;
  std::function<void(int)> on_asked;
};

}  // namespace mlp
