# cmake -DSOURCE=<source folder> -DHEADER=<file> -P GitCommit.cmake
#
# Writes a header with MLPD_COMMIT, the commit that the source folder is at, with "-dirty" where files
# differ from it; "unknown" where the folder is no checkout of its own, or there is no git. Run at
# every build; a header that says so already is left alone, so nothing is compiled again.
cmake_policy(VERSION 3.25)
set(commit unknown)
find_program(GIT git)
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(
    COMMAND ${GIT} --no-optional-locks describe --always --dirty --abbrev=12 --exclude=*
    WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE output OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
    RESULT_VARIABLE result)
  if(result EQUAL 0)
    set(commit ${output})
  endif()
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define MLPD_COMMIT \"${commit}\"\n" @ONLY)
