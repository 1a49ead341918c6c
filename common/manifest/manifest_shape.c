/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/manifest_shape.h"

#include "common/manifest/manifest.h"

#define ONE(struct_, key_, kind_, field_) \
	{ .key = key_, .kind = kind_, .offset = offsetof(struct_, field_) }
#define MANY(struct_, key_, kind_, field_, max_)         \
	{ .key = key_,                                   \
	  .kind = kind_,                                 \
	  .offset = offsetof(struct_, field_),           \
	  .count_offset = offsetof(struct_, n_##field_), \
	  .max = max_ }

static const struct manifest_member source_members[] = {
	ONE(Cvms__Source, "type", MANIFEST_TEXT, type),
	ONE(Cvms__Source, "url", MANIFEST_TEXT, url),
	ONE(Cvms__Source, "kbs_resource_path", MANIFEST_TEXT, kbs_resource_path),
	ONE(Cvms__Source, "encrypted", MANIFEST_FLAG, encrypted),
};
static const struct manifest_shape source_shape = { &cvms__source__descriptor, source_members,
						    ARRAY_LEN(source_members) };

static const struct manifest_member kbs_members[] = {
	ONE(Cvms__KBSConfig, "url", MANIFEST_TEXT, url),
	ONE(Cvms__KBSConfig, "enabled", MANIFEST_FLAG, enabled),
};
static const struct manifest_shape kbs_shape = { &cvms__kbsconfig__descriptor, kbs_members,
						 ARRAY_LEN(kbs_members) };

#define SUB(struct_, key_, field_, shape_)     \
	{ .key = key_,                         \
	  .kind = MANIFEST_OBJECT,             \
	  .offset = offsetof(struct_, field_), \
	  .shape = shape_ }
#define SUBS(struct_, key_, field_, max_, shape_)        \
	{ .key = key_,                                   \
	  .kind = MANIFEST_OBJECTS,                      \
	  .offset = offsetof(struct_, field_),           \
	  .count_offset = offsetof(struct_, n_##field_), \
	  .max = max_,                                   \
	  .shape = shape_ }

static const struct manifest_member dataset_members[] = {
	ONE(Cvms__Dataset, "hash", MANIFEST_HASH, hash),
	ONE(Cvms__Dataset, "user_key", MANIFEST_KEY, userkey),
	ONE(Cvms__Dataset, "filename", MANIFEST_TEXT, filename),
	SUB(Cvms__Dataset, "source", source, &source_shape),
	ONE(Cvms__Dataset, "decompress", MANIFEST_FLAG, decompress),
	SUB(Cvms__Dataset, "kbs", kbs, &kbs_shape),
	ONE(Cvms__Dataset, "cache", MANIFEST_FLAG, cache),
};
static const struct manifest_shape dataset_shape = { &cvms__dataset__descriptor, dataset_members,
						     ARRAY_LEN(dataset_members) };

static const struct manifest_member algorithm_members[] = {
	ONE(Cvms__Algorithm, "hash", MANIFEST_HASH, hash),
	ONE(Cvms__Algorithm, "user_key", MANIFEST_KEY, userkey),
	SUB(Cvms__Algorithm, "source", source, &source_shape),
	ONE(Cvms__Algorithm, "algo_type", MANIFEST_TEXT, algo_type),
	MANY(Cvms__Algorithm, "algo_args", MANIFEST_TEXTS, algo_args, MANIFEST_ARGS_MAX),
	SUB(Cvms__Algorithm, "kbs", kbs, &kbs_shape),
};
static const struct manifest_shape algorithm_shape = { &cvms__algorithm__descriptor,
						       algorithm_members,
						       ARRAY_LEN(algorithm_members) };

static const struct manifest_member consumer_members[] = {
	ONE(Cvms__ResultConsumer, "user_key", MANIFEST_KEY, userkey),
};
static const struct manifest_shape consumer_shape = { &cvms__result_consumer__descriptor,
						      consumer_members,
						      ARRAY_LEN(consumer_members) };

static const struct manifest_member agent_config_members[] = {
	ONE(Cvms__AgentConfig, "port", MANIFEST_TEXT, port),
	ONE(Cvms__AgentConfig, "cert_file", MANIFEST_TEXT, cert_file),
	ONE(Cvms__AgentConfig, "key_file", MANIFEST_TEXT, key_file),
	{ .key = "server_key", /* as backends spell it */
	  .kind = MANIFEST_TEXT,
	  .offset = offsetof(Cvms__AgentConfig, key_file),
	  .unmeasured = true,
	  .instead_of = "key_file" },
	ONE(Cvms__AgentConfig, "client_ca_file", MANIFEST_TEXT, client_ca_file),
	ONE(Cvms__AgentConfig, "server_ca_file", MANIFEST_TEXT, server_ca_file),
	ONE(Cvms__AgentConfig, "log_level", MANIFEST_TEXT, log_level),
	ONE(Cvms__AgentConfig, "attested_tls", MANIFEST_FLAG, attested_tls),
};
static const struct manifest_shape agent_config_shape = { &cvms__agent_config__descriptor,
							  agent_config_members,
							  ARRAY_LEN(agent_config_members) };

static const struct manifest_member extension_members[] = {
	ONE(Cvms__Extension, "layout", MANIFEST_TEXT, layout),
	ONE(Cvms__Extension, "logs", MANIFEST_TEXT, logs),
	{ .key = "requirements_hash",
	  .kind = MANIFEST_HASH,
	  .offset = offsetof(Cvms__Extension, requirements_hash),
	  .sparse = true },
	ONE(Cvms__Extension, "replace", MANIFEST_FLAG, replace),
};
static const struct manifest_shape extension_shape = { &cvms__extension__descriptor,
						       extension_members,
						       ARRAY_LEN(extension_members) };

static const struct manifest_member manifest_members[] = {
	ONE(Cvms__ComputationRunReq, "id", MANIFEST_TEXT, id),
	ONE(Cvms__ComputationRunReq, "name", MANIFEST_TEXT, name),
	ONE(Cvms__ComputationRunReq, "description", MANIFEST_TEXT, description),
	SUBS(Cvms__ComputationRunReq, "datasets", datasets, MANIFEST_DATASETS_MAX, &dataset_shape),
	SUB(Cvms__ComputationRunReq, "algorithm", algorithm, &algorithm_shape),
	SUBS(Cvms__ComputationRunReq, "result_consumers", result_consumers, MANIFEST_CONSUMERS_MAX,
	     &consumer_shape),
	{ .key = "agent_config",
	  .kind = MANIFEST_OBJECT,
	  .offset = offsetof(Cvms__ComputationRunReq, agent_config),
	  .shape = &agent_config_shape,
	  .unmeasured = true },
	{ .key = "cocos",
	  .kind = MANIFEST_OBJECT,
	  .offset = offsetof(Cvms__ComputationRunReq, cocos),
	  .shape = &extension_shape,
	  .sparse = true },
};
const struct manifest_shape manifest_shape = { &cvms__computation_run_req__descriptor,
					       manifest_members, ARRAY_LEN(manifest_members) };
