// Eight clients of one store, writing until they are killed.
#pragma once

#include <string>

#include "server/store/store.h"

namespace mlp::crash {

// Never returns but on an error, which it prints as `fail WHAT`. Each writer says on stdout, a line
// at a time, what it begins and what was acknowledged; SHA256 is of what is to be read back:
//   try upload NAME SHA256 | ok upload NAME
//   try delete NAME        | ok delete NAME
//   try publish SHA256     | ok publish SHA256 NUMBER WRITER
//   try unpublish NUMBER   | ok unpublish NUMBER
// Versions are all of one model, `shared`. `round` is in all names, so that no round meets
// another's.
void RunWriters(Store& store, int round);

}  // namespace mlp::crash
