# Fails where a file includes what its layer must not see. Run by ctest as
#   cmake -D SOURCE_DIR=... -P check_includes.cmake
# The layers are those of ARCHITECTURE.md: arrows point down only.

cmake_policy(VERSION 3.25)
set(violations "")

function(allow folder)
  set(allowed_${folder} ${folder} ${ARGN} PARENT_SCOPE)
  set(folders ${folders} ${folder} PARENT_SCOPE)
endfunction()

# Folder, then what it may include besides itself.
allow(core/base)
allow(core/data core/base)
allow(core/nn core/base)
allow(core/optim core/base)
allow(core/eval core/base)
allow(core/train core/base core/data core/nn core/optim core/eval)
allow(core/artifact core/base core/data core/nn)
allow(core/onnx core/artifact core/base core/data core/nn)
allow(server/config core/base server/address server/names)
allow(server/store core/base core/data core/train mlp/v1 server/conversion server/names)
allow(server/conversion core mlp/v1)
allow(server/telemetry core/base server/address server/build_info mlp/v1)
allow(server/inference core mlp/v1 server/end_of_call server/names server/retry_delay server/store
      server/telemetry)
allow(server/jobs core mlp/v1 server/build_info server/conversion server/end_of_call server/names
      server/retry_delay server/store server/telemetry)
allow(server/rpc core/base mlp/v1 server/retry_delay server/telemetry)
allow(server/oip core mlp/v1 inference/ server/build_info server/inference server/names server/rpc
      server/store server/telemetry)
allow(server/api core grpc/ inference/ mlp/v1 server)
allow(client client core/base/hash mlp/v1)

set(grpc_headers server/rpc/rpc_status.h server/api/call_deadline.h server/api/stream_inference.h
    server/api/unary_inference.h)

foreach(folder IN LISTS folders)
  file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/${folder}/*.h ${SOURCE_DIR}/${folder}/*.cc)
  foreach(file IN LISTS files)
    file(STRINGS ${SOURCE_DIR}/${file} lines REGEX "^#include ")
    foreach(line IN LISTS lines)
      if(line MATCHES "^#include \"([^\"]+)\"")
        set(included ${CMAKE_MATCH_1})
        set(ok FALSE)
        foreach(prefix IN LISTS allowed_${folder})
          string(FIND ${included} "${prefix}" position)
          if(position EQUAL 0)
            set(ok TRUE)
          endif()
        endforeach()
        if(NOT ok)
          list(APPEND violations "${file}: ${folder} must not include ${included}")
        endif()
      endif()
      # An ONNX model is a protobuf message.
      if(folder STREQUAL "core/onnx")
        string(REPLACE "<google/protobuf" "" line "${line}")
      endif()
      if(folder MATCHES "^core/" AND line MATCHES "<(grpc|google/protobuf|sqlite3|prometheus)")
        list(APPEND violations "${file}: core must not see services or databases: ${line}")
      endif()
      # gRPC's headers are the slowest part of the build: they stay out of headers, but for the few
      # that only .cc files include.
      if(file MATCHES "\\.h$" AND line MATCHES "<grpc" AND NOT file IN_LIST grpc_headers)
        list(APPEND violations "${file}: no gRPC in headers: ${line}")
      endif()
    endforeach()
  endforeach()
endforeach()

if(violations)
  list(JOIN violations "\n  " text)
  message(FATAL_ERROR "Includes against the layers:\n  ${text}")
endif()
