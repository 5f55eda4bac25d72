// Statements that take a database back to an earlier schema.
#pragma once

namespace mlp::testing {

// From the sixth to the fifth, but for its number.
inline constexpr char kDropStoredBytes[] =
    "DROP TRIGGER dataset_piece_comes; DROP TRIGGER dataset_piece_goes;"
    "DROP TRIGGER artifact_piece_comes; DROP TRIGGER artifact_piece_goes;"
    "DROP TABLE stored_bytes;";

}  // namespace mlp::testing
