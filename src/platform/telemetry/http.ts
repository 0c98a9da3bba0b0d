import type { IncomingMessage } from "node:http";
import type { Level } from "./log.ts";
import { memoize } from "./memoize.ts";
import { createRecorder, OTHER } from "./request.ts";
import type { RecorderDependencies, RequestEnd, RequestStart } from "./request.ts";

export type HttpRequestStart = RequestStart & Pick<IncomingMessage, "method" | "url" | "httpVersion">;

/**
 * The route is the pattern, such as `/orders/{id}`, or undefined if none matched: a path would be an unbounded label.
 * The status is undefined if the client left before the response.
 */
type HttpRequestEnd = RequestEnd & { route: string | undefined; status: number | undefined };

export type HttpTelemetry = ReturnType<typeof httpTelemetry>;

export type HttpRequestRecord = ReturnType<HttpTelemetry["startRequest"]>;

/** Known methods, by the semantic conventions. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"]);

/**
 * Creates the recorder of HTTP requests, by OpenTelemetry's semantic conventions
 * (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
 * @param ownScheme scheme of the service, unless a trusted proxy forwards another
 */
export function httpTelemetry(dependencies: RecorderDependencies, ownScheme: "http" | "https") {
  const { metrics } = dependencies;
  const actives = metrics.gauge("http_server_active_requests", "HTTP requests in flight.");
  const active = memoize((method: string, scheme: string) =>
    actives.with({ http_request_method: known(method), url_scheme: scheme }),
  );
  const durations = metrics.histogram("http_server_request_duration_seconds", "Duration of HTTP requests, in seconds.");
  const result = memoize((method: string, route: string, code: number | undefined, version: string, scheme: string) => {
    const status = code?.toString();
    // A client that left, or an invalid request, is no error of the service.
    const error = code !== undefined && code >= 500 ? status : undefined;
    const duration = durations.with({
      http_request_method: known(method),
      http_route: route,
      http_response_status_code: status,
      network_protocol_version: version,
      url_scheme: scheme,
      error_type: error,
    });
    const level: Level = code === undefined || code < 400 ? "info" : "warn";
    const fields = `"protocol":"http","method":"${method}","route":${JSON.stringify(route)},"status":"${status ?? "CANCELLED"}"`;
    return { duration, level, error, fields };
  });

  return {
    /** Creates the common series of a route at 0, so that `rate()` sees the first request. */
    expect: (method: string, route: string): void => {
      active(method, ownScheme);
      result(method, route, 200, "1.1", ownScheme);
    },
    startRequest: createRecorder<HttpRequestStart, HttpRequestEnd>(dependencies, {
      protocol: "http",
      active: ({ method = OTHER }, { scheme = ownScheme }) => active(method, scheme),
      result: ({ method = OTHER, httpVersion }, { route = OTHER, status }, { scheme = ownScheme }) =>
        result(method, route, status, httpVersion, scheme),
      path: ({ url }) => url,
      spanName: ({ method = OTHER }, end) =>
        end?.route === undefined ? known(method, "HTTP") : `${known(method, "HTTP")} ${end.route}`,
      startAttributes: ({ method = OTHER, url = "", httpVersion, headers }, { scheme = ownScheme }) => ({
        "http.request.method": known(method),
        "http.request.method_original": methods.has(method) ? undefined : method,
        "url.scheme": scheme,
        "url.path": url.split("?", 1)[0],
        "url.query": url.split("?", 2)[1],
        "network.protocol.version": httpVersion,
        "user_agent.original": headers["user-agent"],
      }),
      endAttributes: ({ route, status }) => ({ "http.route": route, "http.response.status_code": status }),
    }),
  };
}

function known(method: string, otherwise = OTHER): string {
  return methods.has(method) ? method : otherwise;
}
