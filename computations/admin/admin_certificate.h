/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_certificate.h — certificates.CertificateService, on the administrators' listeners.
 */
#pragma once

#include "common/rpc/server.h"

extern const struct rpc_service certificates_rpc;
