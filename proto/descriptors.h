/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptors.h — each .proto file as a serialized FileDescriptorSet with its imports, for
 * rpc_service.descriptors and so for reflection.
 */
#pragma once

#include <stddef.h>

struct descriptor_set {
	const unsigned char *bytes;
	size_t len;
};

extern const struct descriptor_set proto_agent_set, proto_cvms_set, proto_manager_set,
	proto_computations_set, proto_people_set, proto_certificates_set, proto_webhooks_set,
	proto_workflows_set, proto_billing_set, proto_health_set, proto_reflection_set;
