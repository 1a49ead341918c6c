/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_client.h — the computation service's methods about workflows, and orders as they come and go.
 */
#pragma once

#include "cli/client/computation_client.h"
#include "common/workflow/workflow_message.h"

extern const struct rpc_method workflow_submit, workflow_list, workflow_get, workflow_cancel,
	workflow_get_output, workflow_register_executor, workflow_list_executors,
	workflow_remove_executor, workflow_take_node, workflow_get_node_input, workflow_renew_node,
	workflow_finish_node;

/* One workflow and its order; the caller frees both. The order's digest is the id, and its signature is by the key that it
 * names: whose that is remains to be asked. `*is_another`: it failed since the order is not the one that the id stands for. */
int workflow_fetch(struct client *client, const char *id, Workflows__Workflow **workflow,
		   struct workflow_order *order, bool *is_another, struct err *e) MUST_CHECK;

/* A workflow's id as it is typed: 64 digits. */
int workflow_id_check(const char *id, struct err *e) MUST_CHECK;

/* The key that the results of a user's workflows are sealed for: of the user's own private key, so that no second one has
 * to be kept. Another for each kind of key and each key; nobody finds one from the other. */
int workflow_reply_key(const EVP_PKEY *key, struct hpke_key *reply, struct err *e) MUST_CHECK;
