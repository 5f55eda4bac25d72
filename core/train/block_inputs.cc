#include "core/train/block_inputs.h"

#include <utility>
#include <vector>

#include "core/nn/sparse_product_avx512.h"
#include "core/nn/sparse_rows.h"

namespace mlp {
namespace {

// Rows of which one is looked at to know whether most inputs are 0.
constexpr int64_t kRowsPerSample = 16;

}  // namespace

// All memory is taken here, where the caller can handle its absence, and not on a pool thread,
// where it would end the process.
BlockInputs::BlockInputs(const PartRows& rows, const RowBlocks& blocks,
                         const ParameterLayout::Layer& first_layer, ThreadPool& pool)
    : rows_(rows), blocks_(blocks), scratch_(static_cast<size_t>(pool.threads())) {
  for (Scratch& scratch : scratch_) scratch.rows.Take(int64_t{blocks.max_rows()} * rows.features);
  if (!ListsPay()) {
    KeepRows();
    return;
  }
  sparse_.emplace(first_layer);
  for (Scratch& scratch : scratch_) {
    scratch.lists.emplace(blocks.max_rows(), rows.features);
    scratch.products.Take(sparse_->ScratchFloats(blocks.max_rows()));
  }
  KeepLists();
}

void BlockInputs::SetWeights(const float* theta, ThreadPool& pool) {
  if (sparse_.has_value()) sparse_->SetWeights(theta, pool);
}

int64_t BlockInputs::ScratchBytes(int64_t rows, int64_t features) {
  const int64_t products = (rows + 2 * features) * kSparsePanel;
  return (rows * features + products) * static_cast<int64_t>(sizeof(float)) +
         InputListMaker::Bytes(rows, features);
}

const float* BlockInputs::Rows(int block, Scratch& scratch) const {
  const auto index = static_cast<size_t>(block);
  if (index < kept_rows_.size()) return kept_rows_[index].values();
  const int64_t rows = blocks_.rows(block);
  float* const values = scratch.rows.Take(rows * rows_.features);
  rows_.copy(blocks_.begin(block), rows, values);
  return values;
}

InputLists BlockInputs::Lists(int block, Scratch& scratch) const {
  const auto index = static_cast<size_t>(block);
  if (index < kept_lists_.size()) return kept_lists_[index].lists();
  return scratch.lists->Make(Rows(block, scratch), blocks_.rows(block));
}

bool BlockInputs::ListsPay() const {
  if (!SparseInputs::IsSupported()) return false;
  std::vector<float> row(static_cast<size_t>(rows_.features));
  int64_t seen = 0, non_zeros = 0;
  for (int64_t i = 0; i < rows_.count; i += kRowsPerSample) {
    rows_.copy(i, 1, row.data());
    seen += rows_.features;
    non_zeros += CountNonZeros(row.data(), rows_.features);
  }
  return FewEnoughForLists(non_zeros, seen);
}

void BlockInputs::KeepRows() {
  int64_t bytes = 0;
  for (int block = 0; block < blocks_.count(); ++block) {
    const int64_t floats = int64_t{blocks_.rows(block)} * rows_.features;
    bytes += floats * static_cast<int64_t>(sizeof(float));
    if (bytes > kMostKeptBytes) return;
    PropagationScratch rows;
    rows_.copy(blocks_.begin(block), blocks_.rows(block), rows.Take(floats));
    kept_rows_.push_back(std::move(rows));
  }
}

void BlockInputs::KeepLists() {
  int64_t bytes = 0;
  for (int block = 0; block < blocks_.count(); ++block) {
    const InputLists lists = Lists(block, scratch_.front());
    bytes += KeptInputLists::Bytes(lists, rows_.features);
    if (bytes > kMostKeptBytes) return;
    kept_lists_.emplace_back(lists, rows_.features);
  }
}

}  // namespace mlp
