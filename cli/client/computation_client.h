/* SPDX-License-Identifier: Apache-2.0 */
/*
 * computation_client.h — the computation service's methods, and its answers as text and JSON.
 */
#pragma once

#include "cli/base/json_out.h"
#include "cli/base/table.h"
#include "cli/client/client.h"
#include "computations.pb-c.h"

extern const struct rpc_method computation_create, computation_list, computation_show,
	computation_manifest, computation_import, computation_export, computation_run,
	computation_stop, computation_remove, computation_rename, computation_update,
	computation_logs, computation_journal, computation_witness, computation_witness_leaves,
	computation_audit, computation_trim_audit, computation_list_cvms, computation_show_cvm,
	computation_release_cvm, computation_create_cvm, computation_remove_cvm,
	computation_list_machines, computation_show_machine, computation_console, computation_usage;

/* One call over its own connection; the caller frees the response. CLI_OK, or what to return. */
enum cli_exit computation_call(struct cli *cli, const struct rpc_method *method,
			       const ProtobufCMessage *request, ProtobufCMessage **response,
			       struct err *e);

/* What to do about a failed call, unless a better hint is there already. */
void computation_hint(struct client *client, const struct err *e);

/* "2026-11-20T08:13:20.123Z", or "-" for a moment that has not come. */
enum { COMPUTATION_TIME_MAX = 32 };
void computation_time(const Google__Protobuf__Timestamp *time, char text[COMPUTATION_TIME_MAX]);
/* Milliseconds since 1970; 0: it has not come. What is out of range is the last that is within. */
int64_t computation_ms(const Google__Protobuf__Timestamp *time);
void computation_time_to_json(struct json_out *out, const char *key,
			      const Google__Protobuf__Timestamp *time);

void computation_to_json(struct json_out *out, const char *key, const Computations__Computation *c);
/* The same, for more members; json_out_end() comes behind them. */
void computation_to_json_open(struct json_out *out, const char *key,
			      const Computations__Computation *c);
void computation_print(FILE *out, const Computations__Computation *c);

/* Prints one computation as --json says. */
enum cli_exit computation_report(struct cli *cli, const Computations__Computation *c,
				 struct err *e);
