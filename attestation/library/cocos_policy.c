/* SPDX-License-Identifier: Apache-2.0 */
/* cocos_policy.c — policies from memory (cocos/attestation.h). */
#include "attestation/library/library_error.h"
#include "attestation/library/library_objects.h"

#include <stdio.h>

static int parse(const struct cocos_bytes *documents, size_t count, struct policy *policy,
		 struct err *e)
{
	struct policy_file files[POLICY_FILES_MAX];
	char names[POLICY_FILES_MAX][sizeof("document 16")];

	if (count > POLICY_FILES_MAX)
		return err_set(e, ERR_INVALID, "%zu policies; 1 to %d", count, POLICY_FILES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!documents[i].data)
			return err_set(e, ERR_INVALID, "document %zu is missing", i + 1);
		snprintf(names[i], sizeof(names[i]), "document %u", (unsigned)(i + 1) % 100);
		files[i] = (struct policy_file){ names[i], documents[i].data, documents[i].len };
	}
	return policy_parse(files, count, policy, e);
}

int cocos_policy_parse(const struct cocos_bytes *documents, size_t count,
		       struct cocos_policy **policy, struct cocos_error *error)
{
	struct cocos_policy *made;
	struct err e;

	if (!documents || !policy)
		return library_missing(error, "an argument");
	made = calloc(1, sizeof(*made));
	if (!made) {
		err_nomem(&e);
		return library_error(error, &e);
	}
	if (parse(documents, count, &made->policy, &e) < 0) {
		free(made); /* a policy that could not be read is empty */
		return library_error(error, &e);
	}
	*policy = made;
	return 0;
}

void cocos_policy_free(struct cocos_policy *policy)
{
	if (!policy)
		return;
	policy_done(&policy->policy);
	free(policy);
}

const uint8_t *cocos_policy_digest(const struct cocos_policy *policy)
{
	return policy ? policy->policy.digest : NULL;
}
