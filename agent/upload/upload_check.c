/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/upload_call.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "common/manifest/manifest.h"

#include <stdlib.h>
#include <string.h>

/* What has one value; of two the second would be passed over in silence. */
static int metadata_single(const struct upload_call *u, const char *key, const char **text,
			   struct err *e)
{
	const struct rpc_metadata *m = rpc_call_metadata(u->call);

	if (rpc_metadata_count(m, key) > 1)
		return err_set(e, ERR_INVALID, "%s: metadata %s: more than once",
			       u->is_algo ? "Algo" : "Data", key);
	*text = rpc_metadata_text(m, key, 0);
	return 0;
}

static int check_data_metadata(struct upload_call *u, struct err *e)
{
	const char *text = NULL;

	if (metadata_single(u, "decompress", &text, e) < 0)
		return err_code(e);
	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_set(e, ERR_INVALID,
			       "Data: metadata decompress: %s is neither true nor "
			       "false",
			       log_quote(text).text);
	u->decompress = text && strcmp(text, "true") == 0;
	return 0;
}

/* What the manifest says of the algorithm was measured; a call may repeat it, or say what the
 * manifest leaves open. */
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

static int check_algo_metadata(struct upload_call *u, struct err *e)
{
	const Cvms__Algorithm *a = u->computation->manifest->algorithm;
	const char *type = NULL;

	if (metadata_single(u, "algo_type", &type, e) < 0 ||
	    metadata_single(u, "python_runtime", &u->runtime, e) < 0)
		return err_code(e);
	if (type && a->algo_type[0] && strcmp(type, a->algo_type) != 0)
		return err_set(e, ERR_INVALID, "Algo: algo_type is %s, the manifest says %s",
			       log_quote(type).text, log_quote(a->algo_type).text);
	u->algo_type = type && type[0] ? type : "bin";
	if (runner_spec_kind(type ? type : a->algo_type, &u->kind, e) < 0)
		return err_wrap(e, "Algo");
	if (u->runtime && u->runtime[0] && u->kind == RUNNER_PYTHON &&
	    python_runtime_check(u->runtime, e) < 0)
		return err_wrap(e, "Algo: python_runtime");
	return check_args(u, e);
}

int upload_check_metadata(struct upload_call *u, struct err *e)
{
	return u->is_algo ? check_algo_metadata(u, e) : check_data_metadata(u, e);
}

static void data_parameters(const struct upload_call *u, struct writer *w)
{
	proof_parameter_text(w, "filename", u->filename);
	proof_parameter_text(w, "decompress", u->decompress ? "true" : "false");
}

static int algo_parameters(const struct upload_call *u, struct writer *w, struct err *e)
{
	const struct rpc_metadata *m = rpc_call_metadata(u->call);
	uint8_t d[SHA3_256_LEN];

	proof_parameter_text(w, "algo_type", u->algo_type);
	if (u->runtime && u->runtime[0])
		proof_parameter_text(w, "python_runtime", u->runtime);
	for (size_t i = 0; i < rpc_metadata_count(m, "algo_args"); i++)
		proof_parameter_text(w, "algo_args", rpc_metadata_text(m, "algo_args", i));
	if (u->requirements.len > 0) {
		int failed =
			digest(DIGEST_SHA3_256, u->requirements.bytes, u->requirements.len, d, e);

		if (failed)
			return failed;
		proof_parameter(w, "requirements", d, sizeof(d));
	}
	return 0;
}

static bool is_hinted(const struct upload_call *u, const struct asset *a)
{
	return !u->access.has_digest || memcmp(u->access.digest, a->hash->data, SHA3_256_LEN) == 0;
}

static int check_algo_owner(struct upload_call *u, struct err *e)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(PROOF_PARAMETERS_MAX);
	struct computation *c = u->computation;
	int failed;

	if (u->requirements.len > 0 && u->kind != RUNNER_PYTHON)
		return err_set(e, ERR_INVALID, "Algo: requirements are for python algorithms");
	if (!is_hinted(u, &c->algorithm))
		return err_set(e, ERR_INVALID,
			       "Algo: %s is not the digest that the manifest has "
			       "for the algorithm",
			       PROOF_DIGEST_KEY);
	failed = algo_parameters(u, &parameters, e);
	if (failed)
		return failed;
	if (access_verify(&u->access, c->algorithm.key, c->digests.sha3_256,
			  c->algorithm.hash->data, &parameters, e) < 0) {
		e->code = ERR_DENIED;
		return err_wrap(e, "Algo: not signed for this call by the algorithm's provider");
	}
	u->asset = &c->algorithm;
	return 0;
}

/* Is this the name of a dataset other than `but`? A dataset without a name must not take it. */
static bool is_reserved(const struct computation *c, const char *name, size_t but)
{
	for (size_t i = 0; i < c->dataset_count; i++) {
		if (i != but && c->datasets[i].name[0] && strcmp(c->datasets[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Which datasets are of this name, and of the digest that the call claims? */
static size_t find_named(struct upload_call *u, size_t *hinted)
{
	const struct computation *c = u->computation;
	size_t named = 0;

	*hinted = 0;
	for (size_t i = 0; i < c->dataset_count; i++) {
		const struct asset *a = &c->datasets[i];

		if (a->name[0] ? strcmp(a->name, u->filename) != 0 : is_reserved(c, u->filename, i))
			continue;
		named++;
		u->may_be[i] = is_hinted(u, a);
		*hinted += u->may_be[i];
	}
	return named;
}

static size_t keep_signed(struct upload_call *u, const struct writer *parameters, size_t *missing)
{
	struct computation *c = u->computation;
	size_t count = 0;
	struct err ignored;

	*missing = 0;
	for (size_t i = 0; i < c->dataset_count; i++) {
		struct asset *a = &c->datasets[i];

		if (!u->may_be[i])
			continue;
		u->may_be[i] = access_verify(&u->access, a->key, c->digests.sha3_256, a->hash->data,
					     parameters, &ignored) == 0;
		if (!u->may_be[i])
			continue;
		count++;
		*missing += !a->received && !a->placing;
		u->asset = a;
	}
	if (count != 1)
		u->asset = NULL;
	return count;
}

static int check_data_owner(struct upload_call *u, struct err *e)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(PROOF_PARAMETERS_MAX);
	size_t hinted, missing;

	if (manifest_filename_check(u->filename, e) < 0)
		return err_wrap(e, "Data");
	if (find_named(u, &hinted) == 0)
		return err_set(e, ERR_INVALID, "Data: no dataset of the manifest is called %s",
			       log_quote(u->filename).text);
	if (hinted == 0)
		return err_set(e, ERR_INVALID,
			       "Data: the manifest has no dataset %s with this "
			       "digest: other content than was agreed on",
			       log_quote(u->filename).text);
	data_parameters(u, &parameters);
	if (keep_signed(u, &parameters, &missing) == 0)
		return err_set(e, ERR_DENIED,
			       "Data: %s: not signed for this call by its owner "
			       "(another key, or another content, computation or connection)",
			       log_quote(u->filename).text);
	if (missing == 0)
		return err_set(e, ERR_EXISTS, "Data: %s is here already",
			       log_quote(u->filename).text);
	return 0;
}

int upload_check_owner(struct upload_call *u, struct err *e)
{
	return u->is_algo ? check_algo_owner(u, e) : check_data_owner(u, e);
}
