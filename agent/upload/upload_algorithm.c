/* SPDX-License-Identifier: Apache-2.0 */
/* Algo: the algorithm, with its type, runtime, arguments and requirements. What the manifest says of
 * these was measured; a call may repeat it, or say what the manifest leaves open. */
#include "agent.pb-c.h"
#include "agent/computation/refusal.h"
#include "agent/python/python_env.h"
#include "agent/python/requirement_bundle.h"
#include "agent/upload/judging.h"
#include "agent/upload/upload_call.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "common/manifest/manifest_extension.h"

#include <stdlib.h>
#include <string.h>

static const Agent__AlgoResponse response = AGENT__ALGO_RESPONSE__INIT;

/* ---- what the call says ---- */

static int check_args(const struct upload_call *u, struct err *e)
{
	const struct rpc_metadata *m = rpc_call_metadata(u->call);
	const Cvms__Algorithm *a = u->computation->manifest->algorithm;
	size_t count = rpc_metadata_count(m, "algo_args"), bytes = 0;

	if (count > RUNNER_ARGS_MAX)
		return err_set(e, ERR_INVALID, "Algo: %zu arguments, the limit is %d", count,
			       RUNNER_ARGS_MAX);
	for (size_t i = 0; i < count; i++)
		bytes += strlen(rpc_metadata_text(m, "algo_args", i)) + 1;
	if (bytes > RUNNER_ARGS_BYTES_MAX)
		return err_set(e, ERR_INVALID, "Algo: %zu bytes of arguments, the limit is %d",
			       bytes, RUNNER_ARGS_BYTES_MAX);
	if (count == 0 || a->n_algo_args == 0)
		return 0;
	if (count != a->n_algo_args)
		return err_set(e, ERR_INVALID, "Algo: %zu arguments, the manifest says %zu", count,
			       a->n_algo_args);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rpc_metadata_text(m, "algo_args", i), a->algo_args[i]) != 0)
			return err_set(e, ERR_INVALID, "Algo: argument %zu is not the manifest's",
				       i);
	}
	return 0;
}

static int read_metadata(struct upload_call *u, struct err *e)
{
	const Cvms__Algorithm *a = u->computation->manifest->algorithm;
	const char *type = NULL;
	int failed = upload_call_metadata(u, "algo_type", &type, e);

	if (!failed)
		failed = upload_call_metadata(u, "python_runtime", &u->runtime, e);
	if (failed)
		return failed;
	if (type && a->algo_type[0] && strcmp(type, a->algo_type) != 0)
		return err_set(e, ERR_INVALID, "Algo: algo_type is %s, the manifest says %s",
			       log_quote(type).text, log_quote(a->algo_type).text);
	u->algo_type = type && type[0] ? type : "bin";
	if (runner_spec_kind(type ? type : a->algo_type, &u->runner, e) < 0)
		return err_wrap(e, "Algo");
	if (u->runtime && u->runtime[0] && u->runner == RUNNER_PYTHON &&
	    python_runtime_check(u->runtime, e) < 0)
		return err_wrap(e, "Algo: python_runtime");
	return check_args(u, e);
}

static bool has_requirements(const struct upload_call *u)
{
	return u->requirements.len > 0 || u->is_bundle;
}

static int take_requirements(struct upload_call *u, struct span text, bool with_asset,
			     struct err *e)
{
	if (text.len == 0)
		return 0;
	if (with_asset || u->upload)
		return err_set(e, ERR_INVALID,
			       "Algo: requirements come before the algorithm, in "
			       "messages of their own");
	if (u->bundle)
		return 0; /* its bytes go to disk */
	u->is_bundle = u->requirements.len == 0 && requirement_bundle_is(text.bytes, text.len);
	if (u->is_bundle)
		return upload_call_open_bundle(u, e);
	writer_bytes(&u->requirements, text.bytes, text.len);
	if (u->requirements.bad)
		return err_set(e, ERR_EXHAUSTED, "Algo: requirements over %d bytes",
			       REQUIREMENTS_BYTES_MAX);
	return 0;
}

/* ---- whose it is ---- */

/* What is asked for by its digest, as the proof has it. A bundle's is not known before all of it is
 * here, so the caller says it, and is held to it by check_bundle(). */
static int requirements_digest(const struct upload_call *u, uint8_t d[SHA3_256_LEN], struct err *e)
{
	const struct access *a = &u->access;

	if (u->requirements.len > 0) {
		if (digest(DIGEST_SHA3_256, u->requirements.bytes, u->requirements.len, d, e) < 0)
			return err_code(e);
		if (!a->has_required || memcmp(d, a->required, SHA3_256_LEN) == 0)
			return 0;
		return err_set(e, ERR_INVALID, "Algo: the requirements are not what %s says",
			       PROOF_REQUIRED_KEY);
	}
	if (!a->has_required && a->is_proof)
		return err_set(e, ERR_INVALID, "Algo: a bundle of requirements needs metadata %s",
			       PROOF_REQUIRED_KEY);
	memcpy(d, a->required, SHA3_256_LEN);
	return 0;
}

/* The manifest may name them; then no others come, nor none. */
static int check_named(const struct upload_call *u, const uint8_t *d, struct err *e)
{
	const uint8_t *named = manifest_requirements_hash(u->computation->manifest);
	char hex[2 * SHA3_256_LEN + 1];

	if (!named || (d && memcmp(named, d, SHA3_256_LEN) == 0))
		return 0;
	hex_encode(named, SHA3_256_LEN, hex);
	return err_set(e, ERR_INVALID,
		       "Algo: the manifest names the requirements with SHA3-256 %s, and %s", hex,
		       d ? "others came" : "none came");
}

static int check_bundle(const struct upload_call *u, struct err *e)
{
	const struct access *a = &u->access;
	char hex[2 * SHA3_256_LEN + 1];

	if (!u->bundle)
		return 0;
	if (!a->has_required || memcmp(a->required, u->bundle_digest, SHA3_256_LEN) == 0)
		return check_named(u, u->bundle_digest, e);
	hex_encode(u->bundle_digest, SHA3_256_LEN, hex);
	return err_set(e, ERR_INVALID,
		       "Algo: the requirements that came have SHA3-256 %s, not what %s says", hex,
		       PROOF_REQUIRED_KEY);
}

static int write_parameters(const struct upload_call *u, struct writer *w, struct err *e)
{
	const struct rpc_metadata *m = rpc_call_metadata(u->call);
	uint8_t d[SHA3_256_LEN];

	proof_parameter_text(w, "algo_type", u->algo_type);
	if (u->runtime && u->runtime[0])
		proof_parameter_text(w, "python_runtime", u->runtime);
	for (size_t i = 0; i < rpc_metadata_count(m, "algo_args"); i++)
		proof_parameter_text(w, "algo_args", rpc_metadata_text(m, "algo_args", i));
	if (!has_requirements(u))
		return check_named(u, NULL, e);
	if (requirements_digest(u, d, e) < 0)
		return err_code(e);
	proof_parameter(w, "requirements", d, sizeof(d));
	/* a bundle whose digest was not said is looked at when it is here */
	return u->is_bundle && !u->access.has_required ? 0 : check_named(u, d, e);
}

static int check_owner(struct upload_call *u, struct err *e)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(PROOF_PARAMETERS_MAX);
	struct computation *c = u->computation;
	int failed;

	if (has_requirements(u) && u->runner != RUNNER_PYTHON)
		return err_set(e, ERR_INVALID, "Algo: requirements are for python algorithms");
	if (u->access.has_required && !has_requirements(u))
		return err_set(e, ERR_INVALID, "Algo: %s, and no requirements came",
			       PROOF_REQUIRED_KEY);
	if (!upload_call_is_hinted(u, &c->algorithm))
		return err_set(e, ERR_INVALID,
			       "Algo: %s is not the digest that the manifest has "
			       "for the algorithm",
			       PROOF_DIGEST_KEY);
	failed = write_parameters(u, &parameters, e);
	if (failed)
		return failed;
	if (access_verify(&u->access, c->algorithm.key, c->digests.sha3_256,
			  c->algorithm.hash->data, &parameters, e) < 0) {
		refusal_not_signed(&u->access, c, "the algorithm's provider",
				   c->algorithm.hash->data, &parameters, e);
		return err_wrap(e, "Algo");
	}
	u->asset = &c->algorithm;
	return 0;
}

static int settle(struct upload_call *u, const uint8_t digest[SHA3_256_LEN], struct err *e)
{
	char hex[2 * SHA3_256_LEN + 1];

	if (memcmp(u->asset->hash->data, digest, SHA3_256_LEN) == 0)
		return check_bundle(u, e);
	hex_encode(digest, SHA3_256_LEN, hex);
	return err_set(e, ERR_INVALID, "Algo: the manifest knows no algorithm with SHA3-256 %s",
		       hex);
}

/* ---- its place ---- */

static int copy_args(struct upload_call *u, struct err *e)
{
	struct computation *c = u->computation;
	const struct rpc_metadata *m = rpc_call_metadata(u->call);
	const Cvms__Algorithm *a = c->manifest->algorithm;
	size_t said = rpc_metadata_count(m, "algo_args"), count = said ? said : a->n_algo_args;

	c->args = calloc(count + 1, sizeof(*c->args));
	if (!c->args)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++) {
		c->args[i] = strdup(said ? rpc_metadata_text(m, "algo_args", i) : a->algo_args[i]);
		if (!c->args[i])
			return err_nomem(e);
	}
	return 0;
}

static int place_requirements(struct upload_call *u, struct err *e)
{
	struct computation *c = u->computation;
	CLEANUP(free) char *folder = NULL, *text = NULL;

	if (!has_requirements(u))
		return 0;
	if (computation_path(c, "requirements", &folder, e) < 0 ||
	    computation_path(c, "requirements/requirements.txt", &text, e) < 0 ||
	    dir_remove(folder, e) < 0 || dir_make(folder, 0755, e) < 0)
		return err_code(e);
	c->requirements = true;
	if (u->bundle) {
		memcpy(c->requirements_digest, u->bundle_digest, SHA3_256_LEN);
		return upload_call_move(u, u->bundle, "requirements.zip", 0600, e);
	}
	if (requirements_digest(u, c->requirements_digest, e) < 0)
		return err_code(e);
	return file_write(text, u->requirements.bytes, u->requirements.len, 0644, e);
}

static int place(struct upload_call *u, struct err *e)
{
	struct computation *c = u->computation;
	int failed = copy_args(u, e);

	if (!failed && u->runtime && !(c->runtime = strdup(u->runtime)))
		failed = err_nomem(e);
	if (!failed)
		failed = place_requirements(u, e);
	c->kind = u->runner;
	if (!failed)
		failed = upload_call_move(u, u->upload, "algorithm", 0755, e);
	if (!failed)
		failed = judging_start(u, u->bundle != NULL, e);
	/* It may be sent again, and with less than it came with this time. */
	if (failed)
		judging_drop(u);
	return failed;
}

const struct upload_kind upload_algorithm = {
	.method = "Algo",
	.role = PROOF_ROLE_ALGORITHM,
	.response = &response.base,
	.asset = UPLOAD_ALGORITHM,
	.first_message_tells = false, /* requirements may come in several, and are signed too */
	.read_metadata = read_metadata,
	.take_field = take_requirements,
	.check_owner = check_owner,
	.settle = settle,
	.place = place,
	.stop_placing = judging_stop,
};
