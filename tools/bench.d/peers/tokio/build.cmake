# SPDX-License-Identifier: MIT
# Builds the tokio server from a copy of its sources, because cargo writes Cargo.lock beside them.
file(COPY "${SOURCE}/Cargo.toml" "${SOURCE}/src" DESTINATION "${BUILD}")
execute_process(COMMAND "${CARGO}" build --release --offline --quiet
        --config "source.crates-io.replace-with='packaged'" --config "source.packaged.directory='${CRATES}'"
    WORKING_DIRECTORY "${BUILD}" COMMAND_ERROR_IS_FATAL ANY)
file(COPY "${BUILD}/target/release/bench-server-tokio" DESTINATION "${FOLDER}")
