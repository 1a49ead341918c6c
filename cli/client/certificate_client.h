/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_client.h — the methods of the computation service's authority.
 */
#pragma once

#include "certificates.pb-c.h"
#include "cli/client/people_client.h"

extern const struct rpc_method certificate_add_token, certificate_issue, certificate_authority,
	certificate_list, certificate_revoke, certificate_renew;
