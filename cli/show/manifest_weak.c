/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show/manifest_weak.h"

#include "common/base/cleanup.h"
#include "common/manifest/agent_config.h"
#include "common/manifest/manifest_extension.h"
#include "common/manifest/manifest_place.h"

#include <string.h>
#include <strings.h>

static bool same_key(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/* ---- the agent's listener ---- */

static bool says_nothing(const Cvms__ComputationRunReq *m)
{
	return !m->agent_config;
}

static bool has_no_tls(const Cvms__ComputationRunReq *m)
{
	const Cvms__AgentConfig *c = m->agent_config;

	return c && !c->attested_tls && !c->cert_file[0];
}

static bool proves_nothing(const Cvms__ComputationRunReq *m)
{
	const Cvms__AgentConfig *c = m->agent_config;

	return c && !c->attested_tls && c->cert_file[0];
}

static bool brings_a_key(const Cvms__ComputationRunReq *m)
{
	const Cvms__AgentConfig *c = m->agent_config;

	return c && c->attested_tls && (c->cert_file[0] || c->key_file[0]);
}

static bool names_files(const Cvms__ComputationRunReq *m)
{
	const Cvms__AgentConfig *c = m->agent_config;

	return c &&
	       (agent_config_is_path(c->cert_file) || agent_config_is_path(c->key_file) ||
		agent_config_is_path(c->client_ca_file) || agent_config_is_path(c->server_ca_file));
}

static bool is_talkative(const Cvms__ComputationRunReq *m)
{
	return m->agent_config && strcasecmp(m->agent_config->log_level, "debug") == 0;
}

/* ---- who sees what ---- */

static bool logs_to_all(const Cvms__ComputationRunReq *m)
{
	return manifest_logs(m) == MANIFEST_LOGS_ALL;
}

static bool logs_to_provider(const Cvms__ComputationRunReq *m)
{
	return manifest_logs(m) == MANIFEST_LOGS_PROVIDER;
}

static bool is_of_one(const Cvms__ComputationRunReq *m)
{
	if (!m->algorithm || !m->n_result_consumers)
		return false;
	for (size_t i = 0; i < m->n_datasets; i++)
		if (!same_key(&m->datasets[i]->userkey, &m->algorithm->userkey))
			return false;
	for (size_t i = 0; i < m->n_result_consumers; i++)
		if (!same_key(&m->result_consumers[i]->userkey, &m->algorithm->userkey))
			return false;
	return true;
}

/* ---- what runs, over what ---- */

static bool shares_a_folder(const Cvms__ComputationRunReq *m)
{
	const Cvms__Dataset *first = NULL;

	for (size_t i = 0; i < m->n_datasets; i++) {
		const Cvms__Dataset *d = m->datasets[i];

		if (manifest_layout(m) != MANIFEST_LAYOUT_STOCK || manifest_is_cache(d))
			continue;
		if (first && !same_key(&first->userkey, &d->userkey))
			return true;
		first = d;
	}
	return false;
}

static bool has_nameless(const Cvms__ComputationRunReq *m)
{
	for (size_t i = 0; i < m->n_datasets; i++)
		if (!m->datasets[i]->filename[0])
			return true;
	return false;
}

static bool has_caches(const Cvms__ComputationRunReq *m)
{
	for (size_t i = 0; i < m->n_datasets; i++)
		if (manifest_is_cache(m->datasets[i]))
			return true;
	return false;
}

static bool takes_any_type(const Cvms__ComputationRunReq *m)
{
	return m->algorithm && !m->algorithm->algo_type[0];
}

static bool takes_any_arguments(const Cvms__ComputationRunReq *m)
{
	return m->algorithm && m->algorithm->n_algo_args == 0;
}

static bool takes_any_packages(const Cvms__ComputationRunReq *m)
{
	return m->algorithm && !manifest_requirements_hash(m) &&
	       (takes_any_type(m) || strcmp(m->algorithm->algo_type, "python") == 0);
}

static const struct {
	bool (*is)(const Cvms__ComputationRunReq *manifest);
	const char *says;
} weaknesses[] = {
	{ says_nothing,
	  "no agent_config is here: an agent that is given none speaks without TLS, and whoever is on the way "
	  "reads and changes what is sent (a canonical form never has it; the agent's run statement tells)" },
	{ has_no_tls,
	  "no TLS: whoever is on the way to the agent reads and changes what is sent, and can pass for it "
	  "(agent_config: attested_tls)" },
	{ proves_nothing,
	  "TLS without evidence: the certificate proves a name and nothing of what runs there; who made the "
	  "manifest knows its key (agent_config: attested_tls)" },
	{ brings_a_key,
	  "the agent's key is brought by the manifest (cert_file, key_file), and whoever made or passed it on "
	  "knows it: policies refuse that unless they say run.allow_external_identity" },
	{ names_files,
	  "certificates that the host supplies: agent_config names files in the guest, which its operator "
	  "chose, and whose key he knows" },
	{ is_talkative,
	  "log_level debug: the agent tells the computation service more than it has to know" },
	{ logs_to_all,
	  "logs all: everybody, the computation service as well, sees what the algorithm writes, why it failed "
	  "and how large the results are; for development" },
	{ logs_to_provider,
	  "logs provider: what the algorithm writes goes to its provider, who needs not be a consumer: one "
	  "that prints data hands them over" },
	{ is_of_one,
	  "one key stands for everybody: nobody is kept from anything of another; for development" },
	{ shares_a_folder,
	  "layout stock: datasets of several owners are unpacked into one folder, and who comes first can take "
	  "a name that another's needs" },
	{ has_nameless,
	  "a dataset without a file name: its owner chooses under which name the algorithm "
	  "finds it" },
	{ has_caches,
	  "a cache: its owner brings files that the algorithm's libraries load by themselves" },
	{ takes_any_type,
	  "no algo_type: the algorithm's provider chooses, when sending it, what runs its file" },
	{ takes_any_arguments,
	  "no algo_args: the algorithm's provider chooses, when sending it, which arguments it gets" },
	{ takes_any_packages,
	  "no requirements_hash: the algorithm's provider chooses, when sending it, which packages it runs "
	  "with" },
};

const char *manifest_weak(const Cvms__ComputationRunReq *manifest, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(weaknesses); i++)
		if (weaknesses[i].is(manifest) && n-- == 0)
			return weaknesses[i].says;
	return NULL;
}
