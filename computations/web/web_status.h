/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_status.h — the status of the authority's certificates, for everybody (ocsp.h). For this folder only.
 */
#pragma once

#include "computations/ca/certificate.h"

struct http_request;

#define WEB_STATUS_PATH CERTIFICATE_STATUS_PATH
#define WEB_STATUS_TAIL WEB_STATUS_PATH "/"
#define WEB_STATUS_TYPE "application/ocsp-request"

/* Of each address; then one more each: */
enum {
	WEB_STATUS_BURST = 100,
	WEB_STATUS_EVERY_MS = 100,
	WEB_STATUS_ALL_BURST = 1000,
	WEB_STATUS_ALL_EVERY_MS = 5,
	WEB_STATUS_SETS = 256, /* keyed_rate.h */
	WEB_STATUS_WAYS = 4,
};

void web_status_get(struct http_request *r, void *data);
void web_status_post(struct http_request *r, void *data);
