"""Calls a Greeter with Python's gRPC and code generated from the contract, and prints the results as JSON."""

import json
import sys

import grpc
from google.protobuf.json_format import MessageToDict

messages, services = grpc.protos_and_services("greeter/v1/greeter.proto")

with grpc.insecure_channel(sys.argv[1]) as channel:
    greeter = services.GreeterServiceStub(channel)
    results = {
        "default": greeter.Greet(messages.GreetRequest()).message,
        "name": greeter.Greet(messages.GreetRequest(name="Zoë 👩‍👩‍👧‍👦")).message,
        "version": MessageToDict(greeter.Version(messages.VersionRequest())),
    }
    try:
        greeter.Greet(messages.GreetRequest(name=""))
    except grpc.RpcError as error:
        results["empty"] = [error.code().name, error.details()]

print(json.dumps(results))
