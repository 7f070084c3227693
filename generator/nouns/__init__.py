"""The classes that requests and answers are made of, as GraphQL shows them: a module for each family.

A noun is a class of ibapi, or one of ours where no generated event stands for it. What ibapi calls an attribute is its
name here; types are GraphQL's. ``generator.check`` holds the attributes against the recorded releases: each has its
line, whichever release has it.
"""
