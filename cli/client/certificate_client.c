/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/certificate_client.h"

#include "certificates_paths.h"

#define ONE(variable, path_, request_, response_)                   \
	const struct rpc_method variable = {                        \
		.path = path_,                                      \
		.kind = RPC_UNARY,                                  \
		.request = &certificates__##request_##__descriptor, \
		.response = &response_##__descriptor,               \
	}

/* clang-format off */
ONE(certificate_add_token, PROTO_CERTIFICATES_ADD_TOKEN, token_request, certificates__new_token);
ONE(certificate_issue, PROTO_CERTIFICATES_ISSUE, issue_request, certificates__issue_response);
ONE(certificate_authority, PROTO_CERTIFICATES_AUTHORITY, authority_request, certificates__authority_response);
ONE(certificate_list, PROTO_CERTIFICATES_LIST, list_request, certificates__list_response);
ONE(certificate_revoke, PROTO_CERTIFICATES_REVOKE, revoke_request, certificates__revoke_response);
ONE(certificate_renew, PROTO_CERTIFICATES_RENEW, renew_request, certificates__issue_response);
/* clang-format on */
