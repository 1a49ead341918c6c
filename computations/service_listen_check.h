/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_listen_check.h — whether the service can listen where its settings say: files of TLS, lists, ports, sockets. What
 * such a service has already that runs is well.
 */
#pragma once

#include "common/preflight/preflight.h"

/* For a row of preflight.h each; `subject` is a struct config. */
int service_listen_check_agents_tls(void *subject, char *found, struct err *e) MUST_CHECK;
int service_listen_check_admins_tls(void *subject, char *found, struct err *e) MUST_CHECK;
int service_listen_check_agents_lists(void *subject, char *found, struct err *e) MUST_CHECK;
int service_listen_check_admins_lists(void *subject, char *found, struct err *e) MUST_CHECK;
int service_listen_check_agents_port(void *subject, char *found, struct err *e) MUST_CHECK;
int service_listen_check_admins_port(void *subject, char *found, struct err *e) MUST_CHECK;
int service_listen_check_socket(void *subject, char *found, struct err *e) MUST_CHECK;
int service_listen_check_instance(void *subject, char *found, struct err *e) MUST_CHECK;
