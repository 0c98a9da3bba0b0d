import type { IncomingMessage } from "node:http";
import type { Arrival, Begun, Exchange, followExchanges } from "./exchange.ts";
import { durationBounds } from "./metrics.ts";
import type { Histogram, Labels, Metrics, Value } from "./metrics.ts";

/** What is to be known of a request when it arrives. */
export type HttpArrival = Arrival & Pick<IncomingMessage, "method" | "url" | "httpVersion">;

/** How a request ended. */
export interface HttpEnding {
  /** Which of the service's routes it took: one of a few. */
  route: string;
  /** Undefined where nobody was there to be answered any more. */
  status: number | undefined;
  /** How large the answer's body was, in bytes. */
  bytes: number;
}

export interface HttpExchange extends Exchange {
  end(ending: HttpEnding): void;
}

/** Hears of every HTTP request. */
export interface HttpTelemetry {
  begin(arrival: HttpArrival): HttpExchange;
}

/** What a method or a route is called that is none of the known: the convention's word. */
const OTHER = "_OTHER";

/** Those that the convention counts as known. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"]);

/**
 * Tells of HTTP requests by OpenTelemetry's conventions
 * (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
 */
export function httpTelemetry(metrics: Metrics, begin: ReturnType<typeof followExchanges>): HttpTelemetry {
  const active = metrics.gauge("http_server_active_requests", "HTTP requests that are being served.");
  const duration = metrics.histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP requests, in seconds.",
    durationBounds,
  );
  const activeBy = new Map<string, Value>();
  const durationBy = new Map<string, Histogram>();

  const activeOf = (method: string): Value => {
    const known = activeBy.get(method) ?? active.with({ http_request_method: method, url_scheme: "http" });
    activeBy.set(method, known);
    return known;
  };
  const durationOf = (method: string, route: string, status: number | undefined, version: string): Histogram => {
    const key = `${method} ${route} ${status} ${version}`;
    const known = durationBy.get(key) ?? duration.with(labels(method, route, status, version));
    durationBy.set(key, known);
    return known;
  };
  // Those of every good day are there from the start, so that the first request is an increase.
  for (const route of ["/", "/{name}", "/version"]) durationOf("GET", route, 200, "1.1");

  return {
    begin: (request) => {
      const { method = OTHER, url = "", httpVersion, headers, socket } = request;
      const knownMethod = methods.has(method) ? method : OTHER;
      const begun: Begun = begin({
        protocol: "http",
        method,
        path: url,
        headers,
        socket,
        active: activeOf(knownMethod),
        span: () => {
          const [path, query] = url.split("?", 2);
          return {
            name: knownMethod === OTHER ? "HTTP" : method,
            attributes: {
              "http.request.method": knownMethod,
              "http.request.method_original": knownMethod === method ? undefined : method,
              "url.scheme": "http",
              "url.path": path,
              "url.query": query,
              "network.protocol.version": httpVersion,
              "network.peer.address": socket.remoteAddress,
              "network.peer.port": socket.remotePort,
              "user_agent.original": headers["user-agent"],
            },
          };
        },
      });
      return {
        requestId: begun.requestId,
        traceparent: begun.traceparent,
        end: ({ route, status, bytes }) =>
          begun.end({
            duration: durationOf(knownMethod, route, status, httpVersion),
            status: status === undefined ? "CANCELLED" : String(status),
            route,
            bytes,
            level: levelOf(status),
            error: errorOf(status),
            span: () => ({
              name: `${knownMethod === OTHER ? "HTTP" : method} ${route}`,
              attributes: { "http.route": route, "http.response.status_code": status },
            }),
          }),
      };
    },
  };
}

function labels(method: string, route: string, status: number | undefined, version: string): Labels {
  const error = errorOf(status);
  return {
    http_request_method: method,
    http_route: route,
    ...(status !== undefined && { http_response_status_code: String(status) }),
    network_protocol_version: version,
    url_scheme: "http",
    ...(error !== undefined && { error_type: error }),
  };
}

/** Only what is the service's own fault: a caller who went away, or asked for the impossible, is none. */
function errorOf(status: number | undefined): string | undefined {
  return status !== undefined && status >= 500 ? String(status) : undefined;
}

function levelOf(status: number | undefined): "info" | "warn" | "error" {
  if (status === undefined || status < 400) return "info";
  return status === 500 ? "error" : "warn";
}
