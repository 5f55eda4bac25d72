#include "server/api/dataset_service.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "mlp/v1/dataset.pb.h"
#include "server/api/dataset_part.h"
#include "server/api/model_lookup.h"
#include "server/api/page_token.h"
#include "server/names.h"

namespace mlp {
namespace {

constexpr char kService[] = "mlp.v1.DatasetService";
constexpr char kList[] = "datasets";
constexpr int kMaxReadRows = 1024;

// The dataset that an earlier upload with this header's request id stored. INVALID_ARGUMENT where
// that one was another dataset, NOT_FOUND where there was none.
absl::StatusOr<v1::Dataset> FindEarlierUpload(const v1::DatasetHeader& header, Store& store) {
  if (header.request_id().empty()) return absl::NotFoundError("no request id");
  MLP_ASSIGN_OR_RETURN(v1::Dataset stored, store.FindDatasetByRequest(header.request_id()));
  const bool same = stored.name() == header.name() && stored.rows() == header.rows() &&
                    stored.features() == header.features() &&
                    stored.feature_type() == header.feature_type() &&
                    std::equal(stored.class_names().begin(), stored.class_names().end(),
                               header.class_names().begin(), header.class_names().end()) &&
                    stored.image().SerializeAsString() == header.image().SerializeAsString();
  if (!same) {
    return absl::InvalidArgumentError(absl::StrCat(
        "header.request_id: was used for dataset ", stored.name(), " of ", stored.rows(), " x ",
        stored.features(), " or with other classes or another image shape before"));
  }
  return stored;
}

class DatasetServiceImpl final : public DatasetService {
 public:
  DatasetServiceImpl(const DatasetLimits& limits, Store& store)
      : store_(store), max_dataset_bytes_(limits.max_dataset_bytes) {}

  void SetLimits(const DatasetLimits& limits) override {
    max_dataset_bytes_ = limits.max_dataset_bytes;
  }

  void AddTo(MethodTable& table) override {
    using Self = DatasetServiceImpl;
    table.Add(kService, "UploadDataset", [this](RpcCall& call) { return UploadDataset(call); });
    table.AddUnary(kService, "GetDataset", this, &Self::GetDataset);
    table.AddUnary(kService, "ListDatasets", this, &Self::ListDatasets);
    table.AddUnary(kService, "DeleteDataset", this, &Self::DeleteDataset);
    table.AddUnary(kService, "ReadExamples", this, &Self::ReadExamples);
  }

 private:
  absl::Status UploadDataset(RpcCall& call) {
    v1::UploadDatasetRequest message;
    MLP_ASSIGN_OR_RETURN(bool more, call.Read(message));
    if (!more || !message.has_header()) {
      return absl::InvalidArgumentError("payload: expected the header in the first message");
    }
    absl::StatusOr<v1::Dataset> stored = FindEarlierUpload(message.header(), store_);
    if (absl::IsNotFound(stored.status())) stored = Receive(call, message.header());
    MLP_RETURN_IF_ERROR(stored.status());
    call.WriteLast(*stored);
    return absl::OkStatus();
  }

  // Takes the chunks that follow `header`, and stores the dataset.
  absl::StatusOr<v1::Dataset> Receive(RpcCall& call, const v1::DatasetHeader& header) {
    const DatasetLimits limits{.max_dataset_bytes = max_dataset_bytes_};
    MLP_ASSIGN_OR_RETURN(std::unique_ptr<DatasetReceiver> receiver,
                         DatasetReceiver::Start(header, limits, store_));
    v1::UploadDatasetRequest message;
    while (true) {
      MLP_ASSIGN_OR_RETURN(const bool more, call.Read(message));
      if (!more) break;
      if (!message.has_chunk()) {
        return absl::InvalidArgumentError("payload: expected a chunk after the header");
      }
      MLP_RETURN_IF_ERROR(receiver->Add(message.chunk()));
    }
    // The end of the stream is also what a client that went away looks like.
    if (call.Cancelled()) return absl::CancelledError("the upload was cut off");
    return receiver->Finish();
  }

  absl::Status GetDataset(const v1::GetDatasetRequest& request, v1::Dataset& response) {
    MLP_RETURN_IF_ERROR(CheckName("name", request.name()));
    MLP_ASSIGN_OR_RETURN(response, store_.GetDataset(request.name()));
    return absl::OkStatus();
  }

  absl::Status ListDatasets(const v1::ListDatasetsRequest& request,
                            v1::ListDatasetsResponse& response) {
    MLP_ASSIGN_OR_RETURN(const PageRequest page,
                         ReadPage(kList, request.page_size(), request.page_token()));
    MLP_ASSIGN_OR_RETURN(Page<v1::Dataset> datasets, store_.ListDatasets(page));
    for (v1::Dataset& dataset : datasets.items) *response.add_datasets() = std::move(dataset);
    response.set_next_page_token(EncodePageToken(kList, datasets.next));
    return absl::OkStatus();
  }

  absl::Status DeleteDataset(const v1::DeleteDatasetRequest& request, google::protobuf::Empty&) {
    MLP_RETURN_IF_ERROR(CheckName("name", request.name()));
    return store_.DeleteDataset(request.name());
  }

  absl::Status ReadExamples(const v1::ReadExamplesRequest& request,
                            v1::ReadExamplesResponse& response) {
    MLP_RETURN_IF_ERROR(CheckName("name", request.name()));
    if (request.row_count() < 1 || request.row_count() > kMaxReadRows) {
      return absl::InvalidArgumentError(
          absl::StrCat("row_count: expected 1 to ", kMaxReadRows, ", got ", request.row_count()));
    }
    if (request.start_row() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("start_row: expected 0 or more, got ", request.start_row()));
    }
    MLP_ASSIGN_OR_RETURN(const v1::Dataset dataset, store_.GetDataset(request.name()));
    MLP_ASSIGN_OR_RETURN(const std::vector<int64_t> rows, RowsToRead(request, dataset));
    MLP_ASSIGN_OR_RETURN(Dataset examples, store_.ReadRows(request.name(), rows));
    *response.mutable_features() = std::move(examples.features);
    response.mutable_labels()->Add(examples.labels.begin(), examples.labels.end());
    response.mutable_rows()->Add(rows.begin(), rows.end());
    response.mutable_weights()->Add(examples.weights.begin(), examples.weights.end());
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<int64_t>> RowsToRead(const v1::ReadExamplesRequest& request,
                                                  const v1::Dataset& dataset) {
    const bool all =
        request.part() == v1::DATASET_PART_UNSPECIFIED || request.part() == v1::DATASET_PART_ALL;
    std::vector<int64_t> part;
    if (!all) {
      MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version,
                           FindModelVersion(request.model(), store_));
      MLP_ASSIGN_OR_RETURN(part, PartRows(dataset, version, request.part(), store_));
    }
    const int64_t available = all ? dataset.rows() : static_cast<int64_t>(part.size());
    if (request.start_row() >= available) {
      return absl::OutOfRangeError(
          absl::StrCat("start_row: expected less than ", available, ", got ", request.start_row()));
    }
    std::vector<int64_t> rows(static_cast<size_t>(
        std::min<int64_t>(request.row_count(), available - request.start_row())));
    std::iota(rows.begin(), rows.end(), request.start_row());
    if (!all) {
      for (int64_t& row : rows) row = part[static_cast<size_t>(row)];
    }
    return rows;
  }

  Store& store_;
  std::atomic<int64_t> max_dataset_bytes_;
};

}  // namespace

std::unique_ptr<DatasetService> MakeDatasetService(const DatasetLimits& limits, Store& store) {
  return std::make_unique<DatasetServiceImpl>(limits, store);
}

}  // namespace mlp
