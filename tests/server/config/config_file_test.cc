#include "server/config/config_file.h"

#include <string>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/config/config_fixture.h"

namespace mlp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConfigFile : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<GivenValue>> Read(const std::string& text) {
    file_.Write(text);
    return ReadConfigFile(file_.path());
  }
  // "name=text@line" of each value.
  std::vector<std::string> Values(const std::string& text) {
    const auto values = Read(text);
    EXPECT_TRUE(values.ok()) << values.status();
    std::vector<std::string> lines;
    if (!values.ok()) return lines;
    for (const GivenValue& value : *values) {
      lines.push_back(absl::StrCat(value.name, "=", value.text, "@",
                                   value.origin.substr(file_.path().size() + 1)));
    }
    return lines;
  }

  TemporaryConfigFile file_;
};

TEST_F(ConfigFile, IsAFlatMapping) {
  EXPECT_THAT(Values("# of the laboratory\n"
                     "grpc-address: 127.0.0.1:8001\n"
                     "\n"
                     "max-queued-jobs: 10  # few\n"
                     "metrics-address: ''\n"
                     "data-dir: \"a \\\"b\\\"\"\n"),
              ElementsAre("grpc-address=127.0.0.1:8001@2", "max-queued-jobs=10@4",
                          "metrics-address=@5", "data-dir=a \"b\"@6"));
  EXPECT_THAT(Values("{max-queued-jobs: 10, reflection: yes}"),
              ElementsAre("max-queued-jobs=10@1", "reflection=yes@1"));
  EXPECT_THAT(Values("\xEF\xBB\xBFpreload: all\r\nreflection: no\r\n"),
              ElementsAre("preload=all@1", "reflection=no@2"));
  EXPECT_THAT(Values("---\npreload: all\n...\n"), ElementsAre("preload=all@2"));
  for (const char* nothing : {"", "\n\n", "# nothing yet\n", "---\n", "{}"}) {
    EXPECT_THAT(Values(nothing), IsEmpty()) << nothing;
  }
}

TEST_F(ConfigFile, NamesMayBeAList) {
  EXPECT_THAT(Values("preload: [a, b@2]\n"), ElementsAre("preload=a,b@2@1"));
  EXPECT_THAT(Values("preload:\n  - a\n  - b@2\n"), ElementsAre("preload=a,b@2@1"));
  EXPECT_THAT(Values("preload: []\n"), ElementsAre("preload=@1"));
}

TEST_F(ConfigFile, RefusesWhatIsNone) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"reflection: yes\nmax-queued-jobs: 1\nreflection: no\n",
       "reflection: expected once, was given before in FILE:1 (from FILE:3)"},
      {"reflection: yes\nmax-queued-jobs: [10]\n",
       "max-queued-jobs: expected one value, got a list (from FILE:2)"},
      {"max-queued-jobs: {most: 10}\n",
       "max-queued-jobs: expected one value, got nested ones (from FILE:1)"},
      {"max-queued-jobs:\n  most: 10\n",
       "max-queued-jobs: expected one value, got nested ones (from FILE:1)"},
      {"colour: [1]\n", "colour: expected one value, got a list (from FILE:1)"},
      {"max-queued-jobs:\n",
       "max-queued-jobs: expected a value, got nothing; \"\" is empty text (from FILE:1)"},
      {"preload: ~\n", "preload: expected a value, got nothing; \"\" is empty text (from FILE:1)"},
      {"preload: [a, [b]]\n",
       "preload: expected a list of names, got one nested in it (from FILE:1)"},
      {"\n- a\n- b\n", "config: expected lines of NAME: VALUE (from FILE:2)"},
      {"reflection\n", "config: expected lines of NAME: VALUE (from FILE:1)"},
      {"? [a]\n: b\n", "config: expected the name of a setting, got nested values (from FILE:1)"},
      {"reflection: yes\n---\nreflection: no\n",
       "config: expected one YAML document, got more (from FILE:3)"},
      {"data-dir: \"x\nmax-queued-jobs: 10\n",
       "config: expected YAML: a quotation mark is not closed (from FILE)"},
      {"data-dir: 'x", "config: expected YAML: a quotation mark is not closed (from FILE)"},
      {"data-dir: x: y\n", "config: expected YAML: illegal map value (from FILE:1)"},
      {"reflection: *yes\n",
       "config: expected YAML: the referenced anchor is not defined (from FILE:1)"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(Read(text).status(),
                IsRefusal(absl::StrReplaceAll(message, {{"FILE", file_.path()}})))
        << text;
  }
}

TEST_F(ConfigFile, RefusesWhatItCannotRead) {
  EXPECT_THAT(ReadConfigFile("").status(), IsRefusal("config: expected a file, got nothing"));
  EXPECT_THAT(ReadConfigFile(file_.folder() + "/none").status(),
              IsRefusal(absl::StrCat("config: cannot read ", file_.folder(),
                                     "/none: No such file or directory")));
  EXPECT_THAT(ReadConfigFile(file_.folder()).status(),
              IsRefusal(absl::StrCat("config: cannot read ", file_.folder(), ": Is a directory")));
  EXPECT_THAT(ReadConfigFile("/dev/zero").status(),
              IsRefusal("config: cannot read /dev/zero: expected at most 65536 bytes"));
  const std::string comment = "#" + std::string(kMaxConfigFileBytes - 1, 'x');
  EXPECT_THAT(Values(comment), IsEmpty());
  EXPECT_THAT(Read(comment + "x").status(),
              IsRefusal(absl::StrCat("config: cannot read ", file_.path(),
                                     ": expected at most 65536 bytes")));
}

// Whatever the bytes are, it is a value or a refusal.
TEST_F(ConfigFile, SurvivesAnything) {
  for (const char* part :
       {"[", "{a: ", "- ", "a: ", "? ", "&a ", "*", "!", "\"", "\t", "%", "|\n"}) {
    for (const int times : {1, 1000, 15000}) {
      std::string text;
      for (int i = 0; i < times; ++i) text += part;
      const absl::Status status = Read(text).status();
      EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << part << times;
    }
  }
  const std::string whole =
      "data-dir: \"a \\x41\"\npreload: [a, b]\nreflection: &r yes\nrestore: |\n  x\n  y\n";
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char byte : {'\0', '\n', ':', '"', '[', '\x80', '\xff'}) {
      std::string text = whole;
      text[i] = byte;
      const absl::Status status = Read(text).status();
      EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << text;
    }
  }
}

}  // namespace
}  // namespace mlp
