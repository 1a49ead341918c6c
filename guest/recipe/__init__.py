# SPDX-License-Identifier: Apache-2.0
"""The recipe of the guest image; scripts/build-image runs it."""
