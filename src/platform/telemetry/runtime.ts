import { readdirSync, readFileSync } from "node:fs";
import { constants, performance, PerformanceObserver, type PerformanceEntry } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import type { Labels, Metrics } from "./metrics.ts";

/** Interval over which the utilization of the event loop is computed, in milliseconds. */
const UTILIZATION_INTERVAL_MS = 5000;

/**
 * Measures the process, by the names that all Prometheus clients use
 * (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics), and by OpenTelemetry's semantic conventions for Node and V8
 * (https://opentelemetry.io/docs/specs/semconv/runtime/).
 */
export function measureRuntime(metrics: Metrics): void {
  /** Reads a metric before each exposition: its value, or its series. */
  const measure = (name: string, help: string, read: () => number | [Labels, number][]): void => {
    const family = name.endsWith("_total") ? metrics.counter(name, help) : metrics.gauge(name, help);
    metrics.onRead(() => {
      try {
        const values = read();
        if (typeof values === "number") family.with().value = values;
        else for (const [labels, value] of values) family.with(labels).value = value;
      } catch {
        // No file descriptor is free: the previous values stay.
      }
    });
  };

  measure("process_cpu_seconds_total", "CPU time spent, user and system, in seconds.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  measure("process_resident_memory_bytes", "Resident memory, in bytes.", () => process.memoryUsage.rss());
  const startTime = "Start time of the process, in seconds since the Unix epoch.";
  measure("process_start_time_seconds", startTime, () => performance.timeOrigin / 1000);
  // Only Linux has /proc.
  if (process.platform === "linux") {
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    measure("process_open_fds", "Open file descriptors.", () => readdirSync("/proc/self/fd").length);
    measure("process_max_fds", "Maximum number of open file descriptors.", () => Number(limit ?? Infinity));
  }

  measure("nodejs_eventloop_time_seconds_total", "Time of the event loop by state, in seconds.", () => {
    const { active, idle } = performance.eventLoopUtilization();
    return Object.entries({ active, idle }).map(([state, time]) => [{ nodejs_eventloop_state: state }, time / 1000]);
  });
  const loopShare = "Share of the last 5 seconds in which the event loop was active.";
  const utilization = metrics.gauge("nodejs_eventloop_utilization_ratio", loopShare).with();
  let last = performance.eventLoopUtilization();
  setInterval(() => {
    utilization.value = performance.eventLoopUtilization(last).utilization;
    last = performance.eventLoopUtilization();
  }, UTILIZATION_INTERVAL_MS).unref();

  measureGarbageCollection(metrics);
  const spaces = (size: "space_used_size" | "space_size") => (): [Labels, number][] =>
    getHeapSpaceStatistics().map((space) => [{ v8js_heap_space_name: space.space_name }, space[size]]);
  measure("v8js_memory_heap_used_bytes", "Used size of each heap space, in bytes.", spaces("space_used_size"));
  measure("v8js_memory_heap_space_size_bytes", "Size of each heap space, in bytes.", spaces("space_size"));
  const heapLimit = "Maximum size of the heap, in bytes.";
  measure("v8js_heap_size_limit_bytes", heapLimit, () => getHeapStatistics().heap_size_limit);

  const resources: Record<string, number> = {};
  measure("v8js_resource_active", "Resources that keep the event loop alive, by type.", () => {
    // The series of a type remains.
    for (const type of Object.keys(resources)) resources[type] = 0;
    for (const type of process.getActiveResourcesInfo()) resources[type] = (resources[type] ?? 0) + 1;
    return Object.entries(resources).map(([type, count]) => [{ v8js_resource_type: type }, count]);
  });
}

function measureGarbageCollection(metrics: Metrics): void {
  const durations = metrics.histogram("v8js_gc_duration_seconds", "Duration of garbage collections, in seconds.");
  const byKind = new Map([
    [constants.NODE_PERFORMANCE_GC_MAJOR, durations.with({ v8js_gc_type: "major" })],
    [constants.NODE_PERFORMANCE_GC_MINOR, durations.with({ v8js_gc_type: "minor" })],
    [constants.NODE_PERFORMANCE_GC_INCREMENTAL, durations.with({ v8js_gc_type: "incremental" })],
    [constants.NODE_PERFORMANCE_GC_WEAKCB, durations.with({ v8js_gc_type: "weakcb" })],
  ]);
  const observer = new PerformanceObserver((list) => {
    // Node's types lack the detail.
    for (const { detail, duration } of list.getEntries() as (PerformanceEntry & { detail: { kind: number } })[]) {
      byKind.get(detail.kind)?.observe(duration / 1000);
    }
  });
  observer.observe({ type: "gc" });
}
