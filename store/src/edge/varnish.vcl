# Varnish in front of a sticker store. Written by: sticker-store edge-config --for varnish --origin @ORIGIN@ --listen @LISTEN@
#
# For Varnish 7.0 and newer:
#
#     varnishd -a @LISTEN@ -f "$PWD/sticker.vcl" -s malloc,2g -p backend_idle_timeout=20
#
# The last is below the store's server.patience_seconds, so that no request is sent into a connection that ends.
#
# Tell the store whom it may believe about who asks (this machine's address as the store sees it):
#
#     STICKER_STORE__SERVER__TRUSTED_PROXIES='["192.0.2.10"]'
#
# Varnish speaks no TLS: put a program that ends it in front, such as hitch with the PROXY protocol (`-a ADDRESS,PROXY`).

vcl 4.1;

import std;

backend store {
    # A name is looked up once, when this file is loaded.
    .host = "@HOST@";
    .port = "@PORT@";
    .host_header = "@AUTHORITY@";
    .connect_timeout = 3s;
    # The store answers within two minutes.
    .first_byte_timeout = 150s;
    .between_bytes_timeout = 30s;
    .probe = {
        .url = "/health/live";
        .interval = 5s;
        .timeout = 2s;
        .window = 5;
        .threshold = 3;
        .initial = 3;
    }
}

sub vcl_recv {
    set req.backend_hint = store;
    if (req.restarts == 0) {
        # Nobody outside says these. Varnish itself writes X-Forwarded-For.
        unset req.http.X-Sticker-Kind;
        unset req.http.X-Sticker-Stale;
        set req.http.X-Forwarded-Proto = "http";
        # Behind a program that ends TLS on this machine's port 443, with the PROXY protocol.
        if (std.port(local.ip) == 443) {
            set req.http.X-Forwarded-Proto = "https";
        }
    }

    # Pages and the API: passed on as they come, never kept.
    if (req.url !~ "^/(dl|media)/" || (req.method != "GET" && req.method != "HEAD")) {
        return (pass);
    }

    # Downloads are for everybody: nothing of who asks reaches the store but the address, which it counts. The host is no part of the key.
    set req.http.X-Sticker-Kind = "other";
    set req.http.Host = "@AUTHORITY@";
    unset req.http.Cookie;
    unset req.http.Authorization;

    # What is behind a hash the store does not look at.
    set req.url = regsub(req.url, "#.*$", "");

    # Other fields of the query, which apps and trackers add, neither reach the store nor make copies.
    set req.http.X-Sticker-Args = regsub(req.url, "^[^?]*\??", "");
    set req.url = regsub(req.url, "\?.*$", "");
    if (req.url ~ "^/dl/[0-9]+\.(sticker|zip)$") {
        call sticker_density;
        call sticker_format;
        set req.url = req.url + "?density=" + req.http.X-Sticker-Density + req.http.X-Sticker-Format;
    } elseif (req.url ~ "^/media/[0-9a-f]+\.webp$") {
        call sticker_width;
        set req.url = req.url + req.http.X-Sticker-Width;
    }
    unset req.http.X-Sticker-Args;
    unset req.http.X-Sticker-Density;
    unset req.http.X-Sticker-Format;
    unset req.http.X-Sticker-Width;

    # What is over its time is fetched anew, unless the store is away, or has just failed at it (see vcl_synth): then it is served stale.
    if (req.http.X-Sticker-Stale) {
        set req.grace = 7d;
        set req.hash_ignore_busy = true;
    } elseif (!std.healthy(req.backend_hint)) {
        set req.grace = 7d;
    } else {
        set req.grace = 0s;
    }
    return (hash);
}

# The smallest density that is built and is enough, which is the one that the store would choose. What makes no sense becomes one spelling
# of each mistake, which the store refuses.
sub sticker_density {
    if (req.http.X-Sticker-Args !~ "(?:^|&)density(?:[=&]|$)") {
        set req.http.X-Sticker-Density = "@DEFAULT@";
    } elseif (req.http.X-Sticker-Args ~ "(?:^|&)density(?:=[^&]*)?&(?:.*&)?density(?:[=&]|$)") {
        set req.http.X-Sticker-Density = "0&density=0";
@DENSITIES@
    } else {
        set req.http.X-Sticker-Density = "0";
    }
}

sub sticker_format {
    if (req.http.X-Sticker-Args !~ "(?:^|&)format(?:[=&]|$)") {
        set req.http.X-Sticker-Format = "";
    } elseif (req.http.X-Sticker-Args ~ "(?:^|&)format(?:=[^&]*)?&(?:.*&)?format(?:[=&]|$)") {
        set req.http.X-Sticker-Format = "&format=0&format=0";
    } elseif (req.http.X-Sticker-Args !~ "(?:^|&)format=(?:png|webp)(?:&|$)") {
        set req.http.X-Sticker-Format = "&format=0";
    } elseif (req.url ~ "\.zip$") {
        # A bundle is the same in every format.
        set req.http.X-Sticker-Format = "";
    } elseif (req.http.X-Sticker-Args ~ "(?:^|&)format=png(?:&|$)") {
        set req.http.X-Sticker-Format = "&format=png";
    } else {
        set req.http.X-Sticker-Format = "&format=webp";
    }
}

sub sticker_width {
    if (req.http.X-Sticker-Args !~ "(?:^|&)width=") {
        set req.http.X-Sticker-Width = "";
    } elseif (req.http.X-Sticker-Args ~ "(?:^|&)width=[^&]*&(?:.*&)?width=") {
        set req.http.X-Sticker-Width = "?width=0";
@WIDTHS@
    } else {
        set req.http.X-Sticker-Width = "?width=0";
    }
}

sub vcl_backend_fetch {
    if (bereq.http.X-Sticker-Kind) {
        # Stickers, bundles and pictures are compressed already; compressing them again would change their entity tags.
        unset bereq.http.Accept-Encoding;
        set bereq.first_byte_timeout = 30s;
    }
}

sub vcl_backend_response {
    if (!bereq.http.X-Sticker-Kind) {
        set beresp.uncacheable = true;
        return (deliver);
    }
    set beresp.do_gzip = false;
    if (beresp.status >= 500) {
        call sticker_failed;
    }
    # Varnish keeps a 400 only where it is told to: as long as the store says.
    if (beresp.status == 400 && beresp.http.Cache-Control ~ "max-age=[0-9]+") {
        set beresp.ttl = std.duration(regsub(beresp.http.Cache-Control, "^.*max-age=([0-9]+).*$", "\1s"), 0s);
    }
    if (beresp.ttl <= 0s || beresp.http.Set-Cookie || beresp.http.Cache-Control ~ "(?i)no-store|no-cache|private") {
        call sticker_not_kept;
    } elseif (beresp.status < 400) {
        set beresp.grace = 7d;
    } else {
        set beresp.grace = 0s;
        set beresp.keep = 0s;
    }
    return (deliver);
}

# What is here of before stays and is served stale (see vcl_synth); where there is nothing, the failure is told and not kept.
sub sticker_failed {
    if (bereq.is_bgfetch || !bereq.http.X-Sticker-Stale) {
        return (abandon);
    }
}

# For a second nobody waits for somebody else's answer, since that would be for that one alone.
sub sticker_not_kept {
    set beresp.uncacheable = true;
    set beresp.ttl = 1s;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
}

# The store cannot be reached, or was too slow.
sub vcl_backend_error {
    if (bereq.http.X-Sticker-Kind) {
        call sticker_failed;
    }
    set beresp.status = 503;
    set beresp.reason = "Service Unavailable";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "2";
    set beresp.http.Content-Type = "application/json";
    set beresp.body = {"{"error":{"code":"unavailable","message":"the store cannot be reached; try again later","request_id":""} + bereq.xid + {"" }}"};
    call sticker_not_kept;
    return (deliver);
}

# The store failed at a download: it is asked for once more, this time also among what is over its time.
sub vcl_synth {
    if (req.http.X-Sticker-Kind && !req.http.X-Sticker-Stale && req.restarts == 0) {
        set req.http.X-Sticker-Stale = "yes";
        return (restart);
    }
}

sub vcl_deliver {
    if (req.http.X-Sticker-Kind) {
        if (obj.hits == 0) {
            set resp.http.X-Cache = "MISS";
        } elseif (obj.ttl < 0s) {
            set resp.http.X-Cache = "STALE";
        } else {
            set resp.http.X-Cache = "HIT";
        }
    }
    unset resp.http.X-Varnish;
    return (deliver);
}
