// What surrounds a training: the threads it works on, the time, and those it reports to.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include <absl/strings/string_view.h>

#include "core/base/clock.h"
#include "core/base/thread_pool.h"
#include "core/data/feature_scaler.h"
#include "core/nn/network.h"
#include "core/train/progress.h"

namespace mlp {

struct Checkpoint;

// Where checkpoints go. Called on the training thread, one call at a time.
class CheckpointSink {
 public:
  virtual ~CheckpointSink() = default;
  // Whether it is time for another one. Asked after every step: must be quick.
  virtual bool Due() = 0;
  // Takes what WriteCheckpoint made. All that OnProgress was given so far is part of it: a training
  // that goes on from here reports the next iterations alone.
  virtual void Save(std::string bytes) = 0;
};

// A trained network to start from, with the scaling that its inputs need.
struct WarmStart {
  NetworkF network;
  FeatureScaler scaler = FeatureScaler::Identity(1);
};

// References and pointers are to be valid during the training.
struct TrainingContext {
  ThreadPool& pool;
  const Clock& clock;
  // Ends the training as kCancelled, within one step or evaluation of J.
  std::stop_token stop = {};
  ProgressObserver* observer = nullptr;  // may be null
  // Lines for people about what happened on the way; may be empty. Called on the training thread.
  std::function<void(absl::string_view line)> log = nullptr;
  // Null: random weights.
  const WarmStart* start = nullptr;
  // The outcome has the weights of the last iteration (of the mean over the last epochs, where
  // asked for), and not those with the lowest validation cost.
  bool keep_last = false;
  // Null: no checkpoints. When the training is cancelled, it saves one whether it is due or not.
  CheckpointSink* checkpoints = nullptr;
  // Names the training: its configuration, data and build. Written to its checkpoints.
  std::string fingerprint = {};
  // From ReadCheckpoint, with this configuration; null: from the beginning.
  const Checkpoint* resume = nullptr;

  void Log(absl::string_view line) const {
    if (log) log(line);
  }
};

}  // namespace mlp
