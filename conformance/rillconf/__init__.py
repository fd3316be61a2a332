# SPDX-License-Identifier: MIT
"""The conformance harness: cases, testees, verdicts. See conformance/PROTOCOL.md and WRITING-CASES.md."""
