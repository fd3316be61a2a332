# SPDX-License-Identifier: MIT
"""The driver of tools/bench: builds, measures in interleaved rounds, counts, reports."""
