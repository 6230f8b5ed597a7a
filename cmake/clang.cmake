# Toolchain of the clang and tsan presets: Debian 12 names the compiler clang++-14, Debian 13 clang++.
find_program(DOCKET_CLANG NAMES clang++-14 clang++ REQUIRED)
set(CMAKE_CXX_COMPILER ${DOCKET_CLANG})
