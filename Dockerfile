# syntax=docker/dockerfile:1

# Builds dist/: the service with all of its dependencies, and its bill of materials.
FROM --platform=$BUILDPLATFORM docker.io/library/node:26-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The build runs on the Node of this image, not on that of the lockfile. --omit=optional would also omit the bundler's binary.
RUN npm ci --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node-linux-* node_modules/.bin/node
COPY . .
# The build context has no repository, so deploy/image/build-args passes the revision.
ARG VCS_REVISION
ARG VCS_TIME
ARG VCS_MODIFIED
RUN npm run build

# Runs the service, without a shell, a package manager or root.
FROM gcr.io/distroless/nodejs26-debian13:nonroot
WORKDIR /app
COPY --from=build /app/dist/ ./
ENV NODE_ENV=production
# A number, because Kubernetes cannot verify that a name is not root.
USER 65532:65532
EXPOSE 8080 50051 9090
# Without --enable-source-maps, which takes 30 MiB. Stack traces have names without it, and NODE_OPTIONS can add it.
ENTRYPOINT ["/nodejs/bin/node", "/app/greeter.cjs"]
CMD ["serve"]
# For Docker, and for Podman if it builds with --format docker. Kubernetes has its own probes.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["/nodejs/bin/node", "/app/greeter.cjs", "check-health"]
# Last, because these change with each commit (https://specs.opencontainers.org/image-spec/annotations/).
ARG VCS_REVISION
ARG VCS_SOURCE
ARG VCS_TIME
ARG VERSION
LABEL org.opencontainers.image.title="Greeter" \
  org.opencontainers.image.description="The reference gRPC + HTTP microservice in TypeScript" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.source="${VCS_SOURCE}" \
  org.opencontainers.image.revision="${VCS_REVISION}" \
  org.opencontainers.image.created="${VCS_TIME}" \
  org.opencontainers.image.version="${VERSION}"
