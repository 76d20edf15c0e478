// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Command kafka is a Kafka broker for the end-to-end tests, in memory. It writes its address as the first line, then a line of
// JSON about a consumer group for each line with a group's name that it reads. It ends when its input does, and so never
// survives the test that started it.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("kafka", flag.ContinueOnError)
	partitions := flags.Int("partitions", 1, "how many partitions each topic has")
	certificate := flags.String("cert", "", "the certificate's file; without one there is no TLS")
	key := flags.String("key", "", "the file of the certificate's key")
	user := flags.String("user", "", "who may connect, with SCRAM-SHA-256; empty for everybody")
	password := flags.String("password", "", "the user's password")
	if err := flags.Parse(args); err != nil {
		return err
	}
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(int32(*partitions), flags.Args()...)}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			return fmt.Errorf("read the certificate: %w", err)
		}
		options = append(options, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	}
	if *user != "" {
		options = append(options, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", *user, *password))
	}
	broker, err := kfake.NewCluster(options...)
	if err != nil {
		return fmt.Errorf("start the broker: %w", err)
	}
	defer broker.Close()
	if _, err := fmt.Fprintln(out, broker.ListenAddrs()[0]); err != nil {
		return err
	}
	return answer(broker.ListenAddrs(), in, out)
}

// Group is the state of a consumer group.
type Group struct {
	State string `json:"state"`
	// Members is how many consumers are in the group.
	Members int `json:"members"`
	// Partitions is how many partitions the members have; 0 if one of them has none.
	Partitions int `json:"partitions"`
}

// answer writes the state of each group whose name is read.
func answer(brokers []string, in io.Reader, out io.Writer) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	defer client.Close()
	names := bufio.NewScanner(in)
	for names.Scan() {
		groups, err := kadm.NewClient(client).DescribeGroups(context.Background(), names.Text())
		if err != nil {
			return fmt.Errorf("describe the group %s: %w", names.Text(), err)
		}
		group := groups[names.Text()]
		state := Group{State: group.State, Members: len(group.Members), Partitions: assigned(group)}
		if err := json.NewEncoder(out).Encode(state); err != nil {
			return err
		}
	}
	return names.Err()
}

// assigned returns how many partitions the members of a group have; 0 if one of them has none.
func assigned(group kadm.DescribedGroup) int {
	sum := 0
	for _, member := range group.Members {
		consumer, is := member.Assigned.AsConsumer()
		if !is || len(consumer.Topics) == 0 {
			return 0
		}
		for _, topic := range consumer.Topics {
			sum += len(topic.Partitions)
		}
	}
	return sum
}
