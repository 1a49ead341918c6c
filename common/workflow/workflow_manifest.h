/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_manifest.h — the one manifest that an order allows the CVM of a node to have, once the digests of its inputs are
 * known: all else in it is what the submitter signed.
 *
 *   id, name         workflow's id "." node's number
 *   datasets         as the dependencies: digest, the owner's key, the nodename as the file name
 *   algorithm        digest, the launcher's key, type; arguments: funcname, and then those of the order. So there is one at
 *                    least: an agent takes any from who brings an algorithm whose manifest names none
 *   result_consumers one: the order's "consumer", or where it has none the submitter
 *   cocos            layout folders, logs consumers, requirements_hash
 *
 * An input is WORKFLOW_SALT_LINE_LEN bytes, 64 random hexadecimal digits and a line feed, and then the output: manifests are
 * read by people who are to guess no output by its digest.
 */
#pragma once

#include "common/base/writer.h"
#include "common/workflow/workflow_cvm.h"
#include "common/workflow/workflow_order.h"

enum {
	WORKFLOW_SALT_LEN = 32,
	WORKFLOW_SALT_LINE_LEN = 2 * WORKFLOW_SALT_LEN + 1,
	WORKFLOW_MANIFEST_MAX = 1 << 20,
	WORKFLOW_COMPUTATION_ID_LEN = WORKFLOW_ID_TEXT_LEN + 8, /* with its final zero */
};

/* The computation's id. */
void workflow_manifest_id(const struct workflow_order *order, const struct workflow_node *node,
			  char id[WORKFLOW_COMPUTATION_ID_LEN]);

/* As JSON; the agent's configuration in it, which is not part of the digest, asks for attested TLS. `digests` as the node's
 * dependencies. */
int workflow_manifest_write(const struct workflow_order *order, const struct workflow_node *node,
			    const struct workflow_cvm *cvm, const uint8_t digests[][SHA3_256_LEN],
			    struct writer *w, struct err *e) MUST_CHECK;
