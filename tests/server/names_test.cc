#include "server/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlp {
namespace {

using ::testing::HasSubstr;

TEST(Names, AcceptsWhatTheyMayBe) {
  for (const char* name : {"a", "7", "digits", "a.b-c_1", "0..", "x_-."}) {
    EXPECT_TRUE(CheckName("name", name).ok()) << name;
  }
  EXPECT_TRUE(CheckName("name", std::string(63, 'a')).ok());
}

TEST(Names, RefusesWhatCouldBeAPathOrAnOption) {
  for (const char* name : {"", ".", "..", ".hidden", "-rf", "_x", "a/b", "/etc", "a\\b", "A", "a b",
                           "a\n", "\xC3\xA4", "a@b"}) {
    EXPECT_EQ(CheckName("name", name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(CheckName("name", std::string(64, 'a')).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckName("name", std::string("a\0b", 3)).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Names, MessageNamesTheFieldAndEscapesTheName) {
  const std::string message(CheckName("model", "a\n\x1B[31m").message());
  EXPECT_THAT(message, HasSubstr("model: expected a name"));
  EXPECT_THAT(message, HasSubstr("a\\n\\033[31m"));
}

TEST(ModelReference, ReadsItsThreeForms) {
  absl::StatusOr<ModelReference> plain = ParseModelReference("model", "digits");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->model, "digits");
  EXPECT_EQ(plain->version, 0);
  EXPECT_EQ(plain->alias, "");

  absl::StatusOr<ModelReference> numbered = ParseModelReference("model", "digits@12");
  ASSERT_TRUE(numbered.ok());
  EXPECT_EQ(numbered->version, 12);

  absl::StatusOr<ModelReference> alias = ParseModelReference("model", "digits@stable");
  ASSERT_TRUE(alias.ok());
  EXPECT_EQ(alias->alias, "stable");
  EXPECT_EQ(alias->version, 0);
}

TEST(ModelReference, RefusesBadOnes) {
  for (const char* reference : {"", "@", "digits@", "@1", "digits@0", "digits@-1", "digits@@1",
                                "digits@99999999999999999999", "a/b@1", "digits@1 "}) {
    EXPECT_EQ(ParseModelReference("model", reference).status().code(),
              absl::StatusCode::kInvalidArgument)
        << reference;
  }
}

}  // namespace
}  // namespace mlp
