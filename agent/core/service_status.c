/* SPDX-License-Identifier: Apache-2.0 */
/* Status: where the computation stands, and a challenge for those without TLS. */
#include "agent.pb-c.h"
#include "agent/computation/refusal.h"
#include "agent/core/agent_progress.h"
#include "agent/core/service.h"
#include "agent/upload/upload.h"
#include "common/manifest/manifest_extension.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_asset(const struct asset *a, const struct access *owner, Agent__StatusAsset *out)
{
	agent__status_asset__init(out);
	out->hash = *a->hash;
	out->filename = (char *)a->name;
	out->received = a->received;
	out->kept = a->kept_from.is && !a->kept_from.taken_back;
	out->bytes_kept = a->kept ? upload_size(a->kept) : 0;
	out->yours = owner->signer.len && access_names(owner, a->key);
}

/* The arrays that the response points into; all texts stay their owners'. */
struct lists {
	struct agent_progress *progress;
	Agent__StatusPython python;
	Agent__StatusPackage *packages, **package_pointers;
	char python_version[16];
	Agent__StatusAsset *assets, **asset_pointers;
	Agent__StatusConsumer *consumers, **consumer_pointers;
};

static void lists_done(struct lists *l)
{
	free(l->progress);
	free(l->assets);
	free(l->asset_pointers);
	free(l->consumers);
	free(l->consumer_pointers);
	free(l->packages);
	free(l->package_pointers);
}

static int fill_lists(const struct computation *c, const struct access *owner, struct lists *l,
		      Agent__StatusResponse *r, struct err *e)
{
	l->assets = calloc(c->dataset_count + 1, sizeof(*l->assets));
	l->asset_pointers = calloc(c->dataset_count + 1, sizeof(*l->asset_pointers));
	l->consumers = calloc(c->consumer_count + 1, sizeof(*l->consumers));
	l->consumer_pointers = calloc(c->consumer_count + 1, sizeof(*l->consumer_pointers));
	if (!l->assets || !l->asset_pointers || !l->consumers || !l->consumer_pointers)
		return err_nomem(e);
	for (size_t i = 0; i < c->dataset_count; i++) {
		fill_asset(&c->datasets[i], owner, &l->assets[i]);
		l->asset_pointers[i] = &l->assets[i];
	}
	fill_asset(&c->algorithm, owner, &l->assets[c->dataset_count]);
	for (size_t i = 0; i < c->consumer_count; i++) {
		agent__status_consumer__init(&l->consumers[i]);
		l->consumers[i].key_digest.data = (uint8_t *)c->consumers[i].key_digest;
		l->consumers[i].key_digest.len = SHA3_256_LEN;
		l->consumers[i].fetched = c->consumers[i].fetched;
		l->consumer_pointers[i] = &l->consumers[i];
	}
	r->datasets = l->asset_pointers;
	r->n_datasets = c->dataset_count;
	r->algorithm = &l->assets[c->dataset_count];
	r->consumers = l->consumer_pointers;
	r->n_consumers = c->consumer_count;
	return 0;
}

/* ---- who asks ---- */

/* The owner's role that the call claims; NULL: another, or none. */
static const char *owner_role(struct rpc_call *call)
{
	static const char *const roles[] = { PROOF_ROLE_DATA, PROOF_ROLE_ALGORITHM };
	const char *said = rpc_metadata_text(rpc_call_metadata(call), PROOF_ROLE_KEY, 0);

	for (size_t i = 0; said && i < ARRAY_LEN(roles); i++)
		if (strcmp(said, roles[i]) == 0)
			return roles[i];
	return NULL;
}

static bool is_owner(const struct access *access, const struct computation *c, bool algorithm)
{
	bool named = algorithm && access_names(access, c->algorithm.key);

	for (size_t i = 0; !algorithm && i < c->dataset_count; i++)
		named = named || access_names(access, c->datasets[i].key);
	return named;
}

/* Which assets are whose is told to who has shown the key. */
static int read_owner(struct rpc_call *call, struct agent *agent, const char *role,
		      struct access *owner, struct err *e)
{
	const struct computation *c = agent->computation;
	bool algorithm = strcmp(role, PROOF_ROLE_ALGORITHM) == 0;
	struct access access = { 0 };

	if (!c)
		return err_set(e, ERR_PRECONDITION, "there is no computation in state %s",
			       state_name(agent->state));
	if (access_read(call, role, false, &agent->challenges, &access, e) < 0)
		return err_code(e);
	if (!is_owner(&access, c, algorithm) ||
	    access_verify(&access, &access.signer, c->digests.sha3_256, NULL, NULL, e) < 0) {
		refusal_not_signed(&access, c,
				   algorithm ? "the algorithm's provider"
					     : "an owner that the manifest names",
				   NULL, NULL, e);
		access_done(&access);
		return err_code(e);
	}
	rpc_call_prove(call);
	*owner = access;
	return 0;
}

/* Why it failed: what everybody may know; and more to those who have shown that they may see it. */
static int fill_failure(struct rpc_call *call, struct agent *agent, Agent__StatusResponse *r,
			struct access *owner, bool *out, struct err *e)
{
	const struct computation *c = agent->computation;
	bool shown = c && manifest_logs(c->manifest) == MANIFEST_LOGS_ALL;
	bool has_proof = rpc_metadata_count(rpc_call_metadata(call), PROOF_KEY) > 0;
	const char *role = has_proof ? owner_role(call) : NULL;

	if (role && read_owner(call, agent, role, owner, e) < 0)
		return err_wrap(e, "Status");
	if (has_proof && !role) {
		if (service_participant(call, agent, e) < 0)
			return err_wrap(e, "Status");
		shown = true;
	}
	if (c) {
		r->failure = (char *)(shown ? c->reason : c->failure);
		r->last_lines = (char *)(shown ? c->last_lines : "");
	}
	*out = shown;
	return 0;
}

static int fill_progress(const struct agent *agent, bool with_run, struct lists *l,
			 Agent__StatusResponse *r, struct err *e)
{
	l->progress = calloc(1, sizeof(*l->progress));
	if (!l->progress)
		return err_nomem(e);
	agent_progress_fill(agent, with_run, l->progress);
	r->progress = &l->progress->progress;
	return 0;
}

static int fill_python(const struct agent *agent, struct lists *l, Agent__StatusResponse *r,
		       struct err *e)
{
	const struct python_packages *all = &agent->packages;
	const struct python_target *target = &agent->python.target;
	const char *index = agent->config->pip_index_url;

	if (!target->minor)
		return 0;
	l->packages = calloc(all->count + 1, sizeof(*l->packages));
	l->package_pointers = calloc(all->count + 1, sizeof(*l->package_pointers));
	if (!l->packages || !l->package_pointers)
		return err_nomem(e);
	for (size_t i = 0; i < all->count; i++) {
		agent__status_package__init(&l->packages[i]);
		l->packages[i].name = all->items[i].name;
		l->packages[i].version = all->items[i].version;
		l->package_pointers[i] = &l->packages[i];
	}
	agent__status_python__init(&l->python);
	snprintf(l->python_version, sizeof(l->python_version), "3.%u", target->minor);
	l->python.version = l->python_version;
	l->python.machine = (char *)target->machine;
	l->python.glibc = target->glibc;
	l->python.index = index && index[0];
	l->python.packages = l->package_pointers;
	l->python.n_packages = all->count;
	r->python = &l->python;
	return 0;
}

void service_status_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct agent *agent = rpc_call_service(call);
	const Agent__StatusRequest *request = (const Agent__StatusRequest *)message;
	const struct computation *c = agent->computation;
	Agent__StatusResponse r = AGENT__STATUS_RESPONSE__INIT;
	uint8_t challenge[PROOF_SESSION_LEN];
	struct lists lists = { 0 };
	struct access owner = { 0 };
	bool shown = false;
	struct err e;
	int failed = fill_failure(call, agent, &r, &owner, &shown, &e);

	r.state = (char *)state_name(agent->state);
	r.version = (char *)COCOS_VERSION;
	r.development = agent->config->options.development;
	if (c && !failed) {
		r.computation_id = c->manifest->id;
		r.name = c->manifest->name;
		r.manifest_digest.data = (uint8_t *)c->digests.sha3_256;
		r.manifest_digest.len = SHA3_256_LEN;
		/* Of results of few possible sizes it would tell everybody which they are. */
		r.result_size =
			manifest_logs(c->manifest) == MANIFEST_LOGS_ALL ? c->result_size : 0;
		failed = fill_lists(c, &owner, &lists, &r, &e);
	}
	if (c && !failed)
		failed = fill_progress(agent, shown, &lists, &r, &e);
	if (!failed && request->python)
		failed = fill_python(agent, &lists, &r, &e);
	if (!failed && !rpc_call_is_tls(call)) {
		failed = challenge_make(&agent->challenges, uv_hrtime() / 1000000, challenge, &e);
		r.challenge.data = challenge;
		r.challenge.len = sizeof(challenge);
	}
	if (failed)
		rpc_call_finish(call, &e);
	else
		rpc_call_reply(call, &r.base);
	lists_done(&lists);
	access_done(&owner);
}
