/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls.h — one function for each target's corpus, and what they share. */
#pragma once

#include "common/base/writer.h"

enum { CALLS_INPUT_MAX = 1 << 20 };

/* To corpus/NAME; `w` is done with. */
void calls_save(const char *name, struct writer *w);
/* The same to corpus/TARGET/NAME. */
void calls_save_to(const char *target, const char *name, struct writer *w);

/* An input, of which this is the first byte. */
struct writer calls_begin(uint8_t first);

/* corpus/NAME, behind its length in four bytes. */
void calls_put_corpus(struct writer *w, const char *name);

void calls_access(void);
void calls_agent_answers(void);
void calls_agent_calls(void);
void calls_agent_config(void);
void calls_billing_calls(void);
void calls_certificate_calls(void);
void calls_cli(void);
void calls_cvms(void);
void calls_hook_post(void);
void calls_image(void);
void calls_keeper_answers(void);
void calls_mail_post(void);
void calls_manager_calls(void);
void calls_people_calls(void);
void calls_registry_rows(void);
void calls_registry_leases(void);
void calls_registry_managers(void);
void calls_relay_hub(void);
void calls_rpc_prologue(void);
void calls_service_answers(void);
void calls_service_calls(void);
void calls_store_rows(void);
