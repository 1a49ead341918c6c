/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_certificate.h — what everybody may have of the service's authority. For this folder only.
 */
#pragma once

#include "computations/ca/certificate.h"

struct http_request;

#define WEB_CERTIFICATE_PATH      "/ca.pem"
#define WEB_CERTIFICATE_LIST_PATH CERTIFICATE_LIST_PATH

void web_certificate(struct http_request *r, void *data);
void web_certificate_list(struct http_request *r, void *data);
