#include "server/api/page_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::HasSubstr;

TEST(PageToken, ComesBackAsItWent) {
  const std::string token = EncodePageToken("datasets", "digits.v2");
  absl::StatusOr<PageRequest> page = ReadPage("datasets", 7, token);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->after, "digits.v2");
  EXPECT_EQ(page->size, 7);
}

TEST(PageToken, IsEmptyAtTheEndAndStartsAtTheBeginning) {
  EXPECT_EQ(EncodePageToken("datasets", ""), "");
  absl::StatusOr<PageRequest> page = ReadPage("datasets", 0, "");
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->after, "");
  EXPECT_EQ(page->size, 100);
}

TEST(PageToken, RefusesPageSizesOutOfRange) {
  EXPECT_TRUE(ReadPage("datasets", 1000, "").ok());
  for (const int size : {-1, 1001, INT_MIN, INT_MAX}) {
    const absl::Status status = ReadPage("datasets", size, "").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size;
    EXPECT_THAT(std::string(status.message()), HasSubstr("page_size: expected 0 to 1000"));
  }
}

TEST(PageToken, RefusesMadeUpCutAndForeignTokens) {
  const std::string token = EncodePageToken("datasets", "digits");
  for (const std::string& bad :
       {std::string("next"), std::string("MTIzNDU2Nzg5"), token.substr(0, token.size() - 2),
        token + "AA", std::string("\x01\xFF", 2), std::string(100000, 'A')}) {
    EXPECT_EQ(ReadPage("datasets", 0, bad).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(ReadPage("models", 0, token).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PageToken, RefusesEveryChangedCharacter) {
  const std::string token = EncodePageToken("datasets", "digits");
  for (size_t i = 0; i + 1 < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'B' ? 'C' : 'B';
    absl::StatusOr<PageRequest> page = ReadPage("datasets", 0, changed);
    EXPECT_FALSE(page.ok()) << i;
  }
}

}  // namespace
}  // namespace mlp
