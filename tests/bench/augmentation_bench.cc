// The elastic distortion of 60,000 images of 28 x 28 pixels on all cores, against the bare matrix
// products of one epoch over them (784-800-10, batches of 128), which no epoch can be faster than;
// and against the definition in double.
//   augmentation_bench [--quick] [--mnist DIR]     DIR: has train-images-idx3-ubyte.gz and
//                                                  train-labels-idx1-ubyte.gz; without it, made-up
//                                                  images
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <cblas.h>

#include "client/readers/idx_reader.h"
#include "core/base/matrix.h"
#include "core/base/status_macros.h"
#include "core/base/thread_pool.h"
#include "core/data/augmentation.h"
#include "tests/bench/report.h"
#include "tests/core/data/augmentation_reference.h"

namespace mlp::bench {
namespace {

constexpr int kImages = 60'000;
constexpr int kSide = 28;
constexpr int kPixels = kSide * kSide;
constexpr ImageShape kShape{kSide, kSide, 1};
constexpr AugmentationOptions kSimard{.elastic_alpha = 34.0, .elastic_sigma = 4.0};
constexpr int kHidden = 800;
constexpr int kClasses = 10;
constexpr int kBatch = 128;
// What the definition in double distorts, to be multiplied up.
constexpr int kSample = 600;
static_assert(kImages % kSample == 0);

double Milliseconds(absl::FunctionRef<void()> body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

MatrixF MadeUpImages() {
  MatrixF images(kImages, kPixels);
  for (int i = 0; i < kImages; ++i) {
    for (int j = 0; j < kPixels; ++j) {
      images(i, j) = static_cast<float>((i * 31 + j * 7 + i * j % 13) % 251) / 251.0f;
    }
  }
  return images;
}

absl::StatusOr<MatrixF> ReadMnist(const std::string& folder) {
  MLP_ASSIGN_OR_RETURN(const auto source,
                       OpenIdx({.images = folder + "/train-images-idx3-ubyte.gz",
                                .labels = folder + "/train-labels-idx1-ubyte.gz"}));
  ExampleBlock block;
  MLP_RETURN_IF_ERROR(source->Read(kImages, block));
  if (block.features.size() != size_t{kImages} * kPixels) {
    return absl::InvalidArgumentError("mnist: expected 60,000 images of 28 x 28 pixels");
  }
  MatrixF images(kImages, kPixels);
  for (size_t i = 0; i < block.features.size(); ++i) {
    images.data()[i] = static_cast<float>(static_cast<unsigned char>(block.features[i])) / 255.0f;
  }
  return images;
}

// One epoch's products: two forward, and three backward (the images need no gradient). Each thread
// takes its share of every batch's rows.
class EpochProducts {
 public:
  EpochProducts(const MatrixF& images, ThreadPool& pool)
      : images_(images), pool_(pool), threads_(static_cast<size_t>(pool.threads())) {}

  void Run() {
    const int threads = pool_.threads();
    for (int begin = 0; begin < kImages; begin += kBatch) {
      const int rows = std::min(kBatch, kImages - begin);
      pool_.ParallelFor(threads, [&](int index, int) {
        const int first = begin + rows * index / threads;
        const int last = begin + rows * (index + 1) / threads;
        Multiply(images_.data() + int64_t{first} * kPixels, last - first,
                 threads_[static_cast<size_t>(index)]);
      });
    }
  }

 private:
  struct Layers {
    MatrixF w1 = MatrixF::Random(kHidden, kPixels);
    MatrixF w2 = MatrixF::Random(kClasses, kHidden);
    MatrixF g1 = w1;
    MatrixF g2 = w2;
    MatrixF h = MatrixF::Zero(kBatch, kHidden);
    MatrixF z = MatrixF::Zero(kBatch, kClasses);
  };

  // c [m x n] = op(a) op(b) with k terms a value.
  static void Gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const float* a,
                   const float* b, MatrixF& c) {
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1.0f, a, ta == CblasTrans ? m : k, b,
                tb == CblasTrans ? k : n, 0.0f, c.data(), n);
  }

  static void Multiply(const float* x, int rows, Layers& l) {
    Gemm(CblasNoTrans, CblasTrans, rows, kHidden, kPixels, x, l.w1.data(), l.h);
    Gemm(CblasNoTrans, CblasTrans, rows, kClasses, kHidden, l.h.data(), l.w2.data(), l.z);
    Gemm(CblasTrans, CblasNoTrans, kClasses, kHidden, rows, l.z.data(), l.h.data(), l.g2);
    Gemm(CblasNoTrans, CblasNoTrans, rows, kHidden, kClasses, l.z.data(), l.w2.data(), l.h);
    Gemm(CblasTrans, CblasNoTrans, kHidden, kPixels, rows, l.h.data(), x, l.g1);
  }

  const MatrixF& images_;
  ThreadPool& pool_;
  std::vector<Layers> threads_;
};

void Measure(const MatrixF& images, const std::string& what, bool quick) {
  openblas_set_num_threads(1);
  ThreadPool pool({.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))});
  const Augmenter augmenter(kSimard, kShape, 1, 0.0f);
  std::vector<Augmenter::Scratch> scratches;
  scratches.reserve(static_cast<size_t>(pool.threads()));
  for (int i = 0; i < pool.threads(); ++i) scratches.emplace_back(augmenter);
  MatrixF distorted(kImages, kPixels);
  EpochProducts products(images, pool);

  std::vector<double> ours, epoch, definition;
  const int rounds = quick ? 2 : 7;
  for (int round = 0; round < rounds + 1; ++round) {
    const double a = Milliseconds([&] {
      pool.ParallelFor(kImages / kBatch + 1, [&](int batch, int worker) {
        const int end = std::min(kImages, (batch + 1) * kBatch);
        for (int row = batch * kBatch; row < end; ++row) {
          augmenter.Distort(images.row(row).data(), round, row,
                            scratches[static_cast<size_t>(worker)], distorted.row(row).data());
        }
      });
    });
    const double b = Milliseconds([&] { products.Run(); });
    const double c = Milliseconds([&] {
      pool.ParallelFor(kSample, [&](int row, int) {
        testing::DistortByReference(kSimard, kShape, 1, 0.0f, images.row(row).data(), round, row);
      });
    });
    if (round < 1) continue;  // warm-up
    ours.push_back(a);
    epoch.push_back(b);
    definition.push_back(c * (kImages / kSample));
  }
  Print({.bench = "augmentation/" + what + "/epoch_784-800-10",
         .ours = Median(ours),
         .against = Median(epoch),
         .unit = "ms",
         .budget = 1.0,
         .higher_is_better = false});
  Print({.bench = "augmentation/" + what + "/definition",
         .ours = Median(ours),
         .against = Median(definition),
         .unit = "ms",
         .budget = 0.1,
         .higher_is_better = false});
}

int Run(const std::vector<std::string>& arguments) {
  bool quick = false;
  std::string mnist;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--quick") {
      quick = true;
    } else if (arguments[i] == "--mnist" && i + 1 < arguments.size()) {
      mnist = arguments[++i];
    } else {
      std::fprintf(stderr, "usage: augmentation_bench [--quick] [--mnist DIR]\n");
      return 2;
    }
  }
  if (mnist.empty()) {
    Measure(MadeUpImages(), "made_up", quick);
    return 0;
  }
  const absl::StatusOr<MatrixF> images = ReadMnist(mnist);
  if (!images.ok()) {
    std::fprintf(stderr, "%s\n", images.status().ToString().c_str());
    return 1;
  }
  Measure(*images, "mnist", quick);
  return 0;
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  return mlp::bench::Run(std::vector<std::string>(argv + 1, argv + argc));
}
