// Command grpc is a gRPC greeter on grpc-go, based on its helloworld example, whose messages have the same wire format as Greeter's.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	pb "google.golang.org/grpc/examples/helloworld/helloworld"
)

type server struct {
	pb.UnimplementedGreeterServer
}

func (s *server) SayHello(_ context.Context, in *pb.HelloRequest) (*pb.HelloReply, error) {
	name := in.GetName()
	if name == "" {
		name = "Linky 🐙"
	}
	return &pb.HelloReply{Message: "Hello, " + name + "!"}, nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer()
	pb.RegisterGreeterServer(s, &server{})
	fmt.Printf("Listening on %s\n", listener.Addr())
	log.Fatal(s.Serve(listener))
}
