# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# The values that Rails adds, where ActiveSupport is installed: ruby test/active_support_test.rb

require "bigdecimal"
require "minitest/autorun"
begin
  require "active_support"
  require "active_support/all"
rescue LoadError
  warn "skipped: ActiveSupport is not installed"
  exit
end
require_relative "../tasker_otel_bridge"

class ActiveSupportTest < Minitest::Test
  # A model as Rails has it; whoever asks it for JSON asks the database.
  class Model
    def id = 7
    def to_key = [7]
    def as_json(*) = raise("queried")
  end

  def test_values
    time = Time.find_zone!("Europe/Berlin").at(1_780_315_200, 36_885_123, :nsec)
    payload = ActiveSupport::HashWithIndifferentAccess.new(
      at: time, wait: 1.5.seconds, days: [2.days], html: "<b>".html_safe, word: "x".inquiry,
      nested: { a: :b }, model: Model.new, price: BigDecimal("1.20")
    )
    plain = TaskerOtelBridge::Plain.new(TaskerOtelBridge::Config.new({})).payload(payload)
    assert_equal({ "at" => "2026-06-01T12:00:00.036885123Z", "wait" => 1.5, "days" => [172_800.0], "html" => "<b>", "word" => "x",
                   "nested" => { "a" => "b" }, "model" => "ActiveSupportTest::Model#7", "price" => "1.2" }, plain)
    assert_equal plain, JSON.parse(JSON.generate(plain)), "as JSON, which ActiveSupport changes"
  end
end
