/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_asset.h — the files of the page, which embed.py puts into this program.
 */
#pragma once

#include "common/http/asset.h"

extern const struct http_asset web_asset_css, web_asset_js, web_asset_passkey, web_asset_sha3,
	web_asset_import, web_asset_icons, web_asset_mark;
