/* SPDX-License-Identifier: Apache-2.0 */
/*
 * product.h — AMD's products as the command line names them.
 */
#pragma once

#include "attestation/snp/snp_product.h"
#include "common/base/err.h"

/* "Milan", "Genoa" or "Turin"; anything else is ERR_INVALID. */
int product_parse(const char *name, enum snp_product *product, struct err *e) MUST_CHECK;
