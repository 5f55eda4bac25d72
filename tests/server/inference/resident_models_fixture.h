// ResidentModels over a real store whose reads tests hold up and count, and whose artifacts they
// damage.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/strings/str_cat.h>
#include <absl/synchronization/mutex.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/inference/resident_models.h"
#include "tests/server/jobs/forwarding_store.h"
#include "tests/testing/temporary_store.h"

namespace mlp::testing {

// Thread-safe.
class GatedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  // Readers of the artifacts of `model` (NAME or NAME@VERSION) wait from now on.
  void Close(const std::string& model) {
    absl::MutexLock lock(&mutex_);
    closed_.insert(model);
  }
  void Open(const std::string& model) {
    absl::MutexLock lock(&mutex_);
    closed_.erase(model);
  }
  // Waits until `readers` are held up.
  void AwaitReaders(int readers) {
    absl::MutexLock lock(&mutex_);
    const auto arrived = [&]()
                             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return waiting_ == readers; };
    mutex_.Await(absl::Condition(&arrived));
  }
  // Artifacts of NAME@VERSION come with a bit turned.
  void Damage(const std::string& reference) {
    absl::MutexLock lock(&mutex_);
    damaged_.insert(reference);
  }
  void Mend(const std::string& reference) {
    absl::MutexLock lock(&mutex_);
    damaged_.erase(reference);
  }
  int reads() {
    absl::MutexLock lock(&mutex_);
    return reads_;
  }

  // The next reader of a model's record waits, until LetGo; those after it do not.
  void HoldNextGetModel() {
    absl::MutexLock lock(&mutex_);
    hold_next_ = true;
  }
  void LetGo() {
    absl::MutexLock lock(&mutex_);
    is_held_ = false;
  }
  int model_reads() {
    absl::MutexLock lock(&mutex_);
    return model_reads_;
  }

  absl::StatusOr<v1::Model> GetModel(absl::string_view name) override {
    absl::StatusOr<v1::Model> model = ForwardingStore::GetModel(name);
    absl::MutexLock lock(&mutex_);
    ++model_reads_;
    if (hold_next_) {
      hold_next_ = false;
      is_held_ = true;
      ++waiting_;
      const auto is_free = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !is_held_; };
      mutex_.Await(absl::Condition(&is_free));
      --waiting_;
    }
    return model;
  }

  absl::StatusOr<std::string> ReadArtifact(absl::string_view model, int64_t version) override {
    absl::StatusOr<std::string> artifact = ForwardingStore::ReadArtifact(model, version);
    const std::string name(model);
    const std::string reference = absl::StrCat(model, "@", version);
    absl::MutexLock lock(&mutex_);
    ++reads_;
    ++waiting_;
    const auto is_open = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return closed_.count(name) + closed_.count(reference) == 0;
    };
    mutex_.Await(absl::Condition(&is_open));
    --waiting_;
    if (artifact.ok() && damaged_.count(reference) > 0) artifact->back() ^= 1;
    return artifact;
  }

 private:
  absl::Mutex mutex_;
  std::set<std::string> closed_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> damaged_ ABSL_GUARDED_BY(mutex_);
  bool hold_next_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_held_ ABSL_GUARDED_BY(mutex_) = false;
  int model_reads_ ABSL_GUARDED_BY(mutex_) = 0;
  int reads_ ABSL_GUARDED_BY(mutex_) = 0;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

// D=2 -> K=2 without a hidden layer, weights diag(weight, weight).
inline Artifact DiagonalArtifact(float weight) {
  Artifact artifact;
  artifact.network.topology = {2, {{2, Activation::kSigmoid}}};
  artifact.network.parameters.resize(6);
  artifact.network.parameters << weight, 0, 0, weight, 0, 0;
  artifact.scaler = FeatureScaler::Identity(2);
  artifact.schema.features = 2;
  artifact.schema.class_names = {"first", "second"};
  return artifact;
}

MATCHER_P2(IsStatus, code, text, "") {
  *result_listener << arg;
  return arg.code() == code && arg.ToString().find(text) != std::string::npos;
}

class ResidentModelsTest : public ::testing::Test {
 protected:
  // Memory of one of these models.
  static int64_t OneModel() { return ServableModel("a", 1, DiagonalArtifact(1)).bytes(); }

  // Publishes the next version of `model` and tells ResidentModels, as the server does.
  int64_t Publish(const std::string& model) {
    const int64_t version = temporary_.Publish(model, DiagonalArtifact(1)).version();
    if (models_ != nullptr) models_->Refresh(model);
    return version;
  }
  // Starts anew with room for `count` models.
  void MakeRoomFor(int64_t count) {
    models_ = std::make_unique<ResidentModels>(
        store_, ResidencyOptions{.budget_bytes = count * OneModel(),
                                 .max_wait_for_room = absl::Seconds(1),
                                 .pause = [this](absl::Duration time) {
                                   waited_ += time;
                                   if (while_waiting_) while_waiting_();
                                 }});
  }
  // The version that answers, 0 where the model has to be loaded.
  int64_t Found(const std::string& reference) {
    const auto model = models_->Find(reference);
    return model == nullptr ? 0 : model->version();
  }
  int64_t Loaded(const std::string& reference) {
    const auto model = models_->Load(reference);
    EXPECT_TRUE(model.ok()) << reference << ": " << model.status();
    return model.ok() ? (*model)->version() : 0;
  }
  absl::Status LoadStatus(const std::string& reference) {
    return models_->Load(reference).status();
  }

  // How long loads waited for room, and what goes on meanwhile.
  absl::Duration waited_;
  std::function<void()> while_waiting_;
  TemporaryStore temporary_;
  GatedStore store_{*temporary_};
  std::unique_ptr<ResidentModels> models_ =
      std::make_unique<ResidentModels>(store_, ResidencyOptions{});
};

}  // namespace mlp::testing
