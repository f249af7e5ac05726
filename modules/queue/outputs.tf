output "arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.this.arn
}

output "url" {
  description = "URL that producers and workers talk to."
  value       = aws_sqs_queue.this.url
}

output "dead_letters_arn" {
  description = "ARN of the dead-letter queue; put an alarm on its depth."
  value       = aws_sqs_queue.dead_letters.arn
}
