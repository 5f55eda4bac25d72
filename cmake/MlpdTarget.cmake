# One function for libraries, one for programs, one for tests, so that every target in the tree has
# the same warnings and include root and each folder's CMakeLists.txt is a list of names and links.

# ThreadSanitizer with Debian's libraries: see cmake/tsan.
if(MLPD_SANITIZE MATCHES "thread")
  add_library(mlpd_tsan_mutex STATIC ${PROJECT_SOURCE_DIR}/cmake/tsan/absl_mutex.cc)
  target_compile_options(mlpd_tsan_mutex PRIVATE -fsanitize=thread)
  target_link_libraries(mlpd_tsan_mutex PUBLIC absl::synchronization)
  target_include_directories(mlpd_tsan_mutex BEFORE PUBLIC ${PROJECT_SOURCE_DIR}/cmake/tsan/include)
  foreach(symbol N4absl7debian35Mutex4LockEv N4absl7debian35Mutex6UnlockEv
          N4absl7debian35Mutex5AwaitERKNS0_9ConditionE N4absl7debian35Mutex8LockWhenERKNS0_9ConditionE
          N4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE
          N4absl7debian37CondVar4WaitEPNS0_5MutexE
          N4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE
          N4absl7debian312Notification6NotifyEv NK4absl7debian312Notification19WaitForNotificationEv
          NK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE
          N4absl7debian315BlockingCounter14DecrementCountEv N4absl7debian315BlockingCounter4WaitEv)
    target_link_options(mlpd_tsan_mutex PUBLIC -Wl,--wrap=_Z${symbol})
  endforeach()
  set(MLPD_TEST_ENVIRONMENT
      "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan/suppressions.txt")
endif()

function(mlpd_compile_options target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
  if(MLPD_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE -Wthread-safety)
  endif()
  if(MLPD_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${MLPD_SANITIZE} -fno-omit-frame-pointer
                                            -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${MLPD_SANITIZE})
    if(TARGET mlpd_tsan_mutex)
      target_link_libraries(${target} PUBLIC mlpd_tsan_mutex)
    endif()
  endif()
endfunction()

# mlpd_library(NAME SOURCES a.cc b.cc [PUBLIC lib...] [PRIVATE lib...])
function(mlpd_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  mlpd_compile_options(${name})
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# mlpd_program(NAME SOURCES a.cc [LINK lib...])
function(mlpd_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  mlpd_compile_options(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()

# mlpd_test(NAME SOURCES a_test.cc [LINK lib...] [LABEL unit|integration|slow] [WITHOUT_AVX512])
# Every TEST in the program becomes a ctest of its own. WITHOUT_AVX512 has it compute as on a CPU that
# has none, whatever this one is, and WithoutAvx512. stand before the names of its tests.
function(mlpd_test name)
  cmake_parse_arguments(ARG "WITHOUT_AVX512" "LABEL" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  set(environment ${MLPD_TEST_ENVIRONMENT})
  set(prefix "")
  if(ARG_WITHOUT_AVX512)
    list(APPEND ARG_SOURCES ${PROJECT_SOURCE_DIR}/tests/testing/without_avx512.cc)
    list(APPEND environment OPENBLAS_CORETYPE=Haswell)
    set(prefix WithoutAvx512.)
  endif()
  if(TARGET mlpd_tsan_mutex AND "${ARG_LINK}" MATCHES "grpc")
    list(APPEND ARG_SOURCES ${PROJECT_SOURCE_DIR}/cmake/tsan/grpc_queue.cc)
    # What libgrpc does inside is its own affair, whichever library it calls for it.
    list(TRANSFORM environment APPEND ":ignore_noninstrumented_modules=1" REGEX ^TSAN_OPTIONS)
  endif()
  # gtest_discover_tests would take a list apart.
  list(JOIN environment "\\;" environment)
  add_executable(${name} ${ARG_SOURCES})
  mlpd_compile_options(${name})
  target_compile_definitions(${name} PRIVATE MLPD_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 TEST_PREFIX "${prefix}"
                       PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 300
                                  ENVIRONMENT "${environment}")
endfunction()
