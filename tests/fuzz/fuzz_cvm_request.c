/* SPDX-License-Identifier: Apache-2.0 */
/* A CreateReq from the wire: what is accepted is read back by the reader that guests use. */
#include "common/base/settings.h"
#include "manager/launch/cvm_request.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char id[] = "3b1f8a10-1111-4222-8333-000000000001";
	Manager__CreateReq *message = manager__create_req__unpack(NULL, len, bytes);
	struct keyfile file = { 0 };
	struct cvm_request request;
	struct err e = { 0 };

	if (!message)
		return 0;
	if (cvm_request_make(message, id, &request, &e) == 0) {
		assert(keyfile_parse(request.boot.files[BOOTCONFIG_ENVIRONMENT].bytes,
				     request.boot.files[BOOTCONFIG_ENVIRONMENT].len, &file,
				     &e) == 0);
		assert(strcmp(keyfile_get(&file, "AGENT_CVM_ID"), id) == 0);
		assert(strcmp(keyfile_get(&file, "AGENT_CVM_GRPC_URL"),
			      message->agent_cvm_server_url) == 0);
		if (*message->agent_certs_token)
			assert(strcmp(keyfile_get(&file, "AGENT_CERTS_TOKEN"),
				      message->agent_certs_token) == 0);
		keyfile_done(&file);
		cvm_request_done(&request);
	}
	manager__create_req__free_unpacked(message, NULL);
	return 0;
}
