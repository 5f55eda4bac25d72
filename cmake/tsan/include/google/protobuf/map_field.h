// protobuf's header of this name, with the layout that Debian's libprotobuf was built with: under
// ThreadSanitizer the original gives each map one member more, and what the library then takes for
// the map lies beside it.
#pragma once

#pragma push_macro("__SANITIZE_THREAD__")
#undef __SANITIZE_THREAD__
#include_next <google/protobuf/map_field.h>
#pragma pop_macro("__SANITIZE_THREAD__")
