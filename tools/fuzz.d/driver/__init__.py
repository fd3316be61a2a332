# SPDX-License-Identifier: MIT
"""The driver of tools/fuzz: builds targets, runs them side by side, keeps their corpora, finds and log."""
