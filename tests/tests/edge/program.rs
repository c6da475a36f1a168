//! What the program prints and refuses, and the template and the function of `CloudFront`, which runs nowhere but at Amazon.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value, json};
use sticker_tests::{Finished, left_out, run, store_program};

use super::table::{TABLE, row, rungs};

fn prints(arguments: &[&str]) -> Finished {
    run(store_program().arg("edge-config").args(arguments))
}

fn template() -> String {
    let printed = prints(&["--for", "cloudfront", "--origin", "https://origin.example.com:8443"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    printed.stdout
}

#[test]
fn what_makes_no_sense_is_refused_with_a_code_and_what_to_do() {
    for (arguments, code, words) in [
        (&["--for", "nginx", "--origin", "origin.example.com"][..], 1, &["error[bad_origin]", "hint:"][..]),
        (
            &["--for", "nginx", "--origin", "https://a.example;evil"],
            1,
            &["error[bad_origin]", "https://origin"],
        ),
        (&["--for", "nginx", "--origin", "https://a.example/path"], 1, &["error[bad_origin]"]),
        (&["--for", "varnish", "--origin", "https://a.example"], 1, &["error[origin_tls]", "nginx"]),
        (&["--for", "cloudfront", "--origin", "http://192.0.2.1"], 1, &["error[origin_name]", "DNS"]),
        (
            &["--for", "cloudfront", "--origin", "https://a.example", "--listen", "127.0.0.1:1"],
            2,
            &["error[listen]"],
        ),
        (&["--for", "squid", "--origin", "https://a.example"], 2, &["cloudfront", "nginx", "varnish"]),
        (&["--for", "nginx"], 2, &["--origin"]),
        (&["--for", "nginx", "--origin", "https://a.example", "--listen", "nowhere"], 2, &["--listen"]),
    ] {
        let refused = prints(arguments);
        assert_eq!((refused.code, refused.stdout.as_str()), (code, ""), "{arguments:?}: {}", refused.stderr);
        for word in words {
            assert!(refused.stderr.contains(word), "{arguments:?}: {}", refused.stderr);
        }
    }
}

#[test]
fn an_origin_by_https_is_verified_by_its_name() {
    let printed = prints(&["--for", "nginx", "--origin", "https://origin.example.com"]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    for line in ["proxy_ssl_verify on;", "proxy_ssl_name origin.example.com;", "https://sticker_store"] {
        assert!(printed.stdout.contains(line), "{line}");
    }
    assert!(printed.stdout.contains("listen 0.0.0.0:80;"));
}

#[test]
fn the_template_of_cloudfront_is_yaml_whose_parts_name_each_other() {
    let mut python = Command::new("python3");
    let read = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cloudfront.yaml");
    std::fs::write(&file, template()).unwrap();
    let Ok(output) = python.args(["-c", read]).arg(&file).output() else {
        return left_out("the template of CloudFront", "there is no python3");
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("No module named 'yaml'") {
        return left_out("the template of CloudFront", "python3 has no yaml; .ci/tools installs it");
    }
    assert!(output.status.success(), "{said}");
    let template: Value = serde_json::from_slice(&output.stdout).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    for named in references(&template) {
        let known = resources.contains_key(&named)
            || template["Parameters"].get(&named).is_some()
            || template["Conditions"].get(&named).is_some()
            || named.starts_with("AWS::");
        assert!(known, "nothing is called {named}");
    }
    let distribution = &resources["Distribution"]["Properties"]["DistributionConfig"];
    let origin = &distribution["Origins"][0];
    assert_eq!(origin["DomainName"], "origin.example.com");
    assert_eq!(origin["CustomOriginConfig"]["HTTPSPort"], 8443);
    assert_eq!(origin["CustomOriginConfig"]["OriginProtocolPolicy"], "https-only");
    let behaviours = distribution["CacheBehaviors"].as_array().unwrap();
    let paths: Vec<&Value> = behaviours.iter().map(|behaviour| &behaviour["PathPattern"]).collect();
    assert_eq!(paths, ["/dl/*", "/media/*"]);
    for behaviour in behaviours {
        assert_eq!(behaviour["Compress"], false);
        assert_eq!(behaviour["FunctionAssociations"][0]["EventType"], "viewer-request");
        assert_eq!(behaviour["CachePolicyId"]["Ref"], "DownloadsCache");
    }
    let cached = &resources["DownloadsCache"]["Properties"]["CachePolicyConfig"];
    assert_eq!(cached["MinTTL"], 0);
    let key = &cached["ParametersInCacheKeyAndForwardedToOrigin"];
    assert_eq!(key["QueryStringsConfig"]["QueryStrings"], json!(["density", "format", "width"]));
    assert_eq!(key["CookiesConfig"]["CookieBehavior"], "none");
    let errors = distribution["CustomErrorResponses"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["ErrorCachingMinTTL"] == 0), "{errors:?}");
    let function = resources["DownloadsFunction"]["Properties"]["FunctionCode"].as_str().unwrap();
    // What Amazon takes.
    assert!(function.len() < 10_240, "{}", function.len());
}

/// Every name that `Ref`, `Fn::GetAtt` or `Fn::If` has.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(references).collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match key.as_str() {
                "Ref" => vec![value.as_str().unwrap().to_owned()],
                "Fn::GetAtt" | "Fn::If" => {
                    let mut names = references(value);
                    names.push(value[0].as_str().unwrap().to_owned());
                    names
                }
                _ => references(value),
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_function_of_cloudfront_writes_each_query_as_the_other_edges_do() {
    let all = rungs().map(|(wanted, rung)| {
        let of = |density| format!("/dl/7.sticker?density={density}");
        (of(wanted), of(rung))
    });
    let rows: Vec<(String, String)> = (0..TABLE.len()).map(row).chain(all).collect();
    let asked: Vec<&String> = rows.iter().map(|(asked, _)| asked).collect();
    let mut script = function(&template());
    let _ = write!(script, "{HARNESS}\nconsole.log(JSON.stringify({}.map(written)));\n", json!(asked));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("function.js");
    std::fs::write(&file, script).unwrap();
    let Ok(output) = Command::new("node").arg(&file).output() else {
        return left_out("the function of CloudFront", "there is no node");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(written.len(), rows.len());
    for ((asked, wanted), written) in rows.iter().zip(&written) {
        assert_eq!(written, wanted, "{asked}");
    }
}

/// The code as it stands in the template, indented.
fn function(template: &str) -> String {
    let (_, code) = template.split_once("FunctionCode: |\n").unwrap();
    let code = code.lines().take_while(|line| line.is_empty() || line.starts_with("        "));
    let code: Vec<&str> = code.map(|line| line.strip_prefix("        ").unwrap_or_default()).collect();
    code.join("\n")
}

/// Makes the event that `CloudFront` makes of an address, and writes what it asks the origin by the answer: fields of the cache policy in
/// their order.
const HARNESS: &str = r#"
function written(address) {
    const [uri, query] = address.split(/\?(.*)/s);
    const querystring = {};
    for (const pair of (query || "").split("&").filter((pair) => pair !== "")) {
        const [name, value] = pair.split(/=(.*)/s);
        const field = { value: value || "" };
        if (!querystring[name]) {
            querystring[name] = field;
        } else {
            const several = querystring[name].multiValue || [{ value: querystring[name].value }];
            querystring[name] = { value: field.value, multiValue: [...several, field] };
        }
    }
    const event = { version: "1.0", context: { eventType: "viewer-request" }, viewer: { ip: "192.0.2.1" },
        request: { method: "GET", uri, querystring, headers: {}, cookies: {} } };
    const request = handler(event);
    const fields = ["density", "format", "width"].filter((name) => request.querystring[name]).flatMap((name) => {
        const field = request.querystring[name];
        return (field.multiValue || [field]).map((each) => name + "=" + each.value);
    });
    return request.uri + (fields.length ? "?" + fields.join("&") : "");
}
"#;
